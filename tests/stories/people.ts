/** What people do in a story. */
import { TOUCHED } from "./world.ts";
import { BASES, type StoryWorld } from "./world.ts";
import type { Pull } from "./github.ts";

/** Who acts: two who may push, a contributor, and a stranger who works with others' commits. */
export const PEOPLE = ["ada", "bob", "carl", "mallory"] as const;

/** Something that a person does; numbers choose among what is there. */
export interface Action {
  readonly who: typeof PEOPLE[number];
  readonly what:
    | "open"
    | "push"
    | "close"
    | "reopen"
    | "draft"
    | "ready"
    | "retarget"
    | "comment"
    | "move base";
  /** Which pull request; of a base, which tip. */
  readonly which: number;
  /** Which change, base and command. */
  readonly head: number;
  readonly base: number;
  readonly command: number;
  readonly draft: boolean;
}

/** What people ask for. */
export const COMMANDS = [
  "build a",
  "test a",
  "build a b c",
  "test c",
  "build b",
  "eval",
  "cancel",
  "test a eval",
];

/** Does it, if it can be done; gives the pull request that it was done to. */
export async function act(world: StoryWorld, action: Action): Promise<Pull | undefined> {
  const { github, stage, random } = world;
  const { who, what, which, command, draft } = action;
  github.now += random.whole(0, 2);
  const changes = [...stage.changes.values()];
  const base = BASES[action.base]!;
  if (what === "move base") {
    await world.moveBase(base, which % 2 === 0 ? 1 : 0);
    return undefined;
  }
  if (what === "open") {
    return await open(world, { who, head: changes[action.head]!, base, draft });
  }
  const pulls = [...github.pulls.values()];
  const own = pulls.filter(({ author }) => author === who);
  if (what === "comment") {
    const pull = pulls[which % Math.max(1, pulls.length)];
    if (!pull) return undefined;
    world.send(github.comment(pull, `@tickbot ${COMMANDS[command]}`, who));
    return pull;
  }
  const pull = own[which % Math.max(1, own.length)];
  if (pull) await change(world, pull, action);
  return pull;
}

async function open(
  world: StoryWorld,
  { who, head, base, draft }: { who: string; head: string; base: string; draft: boolean },
): Promise<Pull> {
  const { github, stage } = world;
  const number = github.pulls.size + 1;
  const pull: Pull = {
    number,
    title: "A change",
    state: "open",
    draft,
    author: who,
    headSha: head,
    baseRef: base,
    defaultBranch: "main",
    labels: [],
    headPushedAt: github.time,
    updatedAt: github.time,
  };
  await stage.monorepo.setPullHead(number, head);
  github.pulls.set(number, pull);
  world.send(github.event(pull, "opened"));
  return pull;
}

async function change(world: StoryWorld, pull: Pull, { what, head, base }: Action): Promise<void> {
  const { github, stage } = world;
  const send = (action: string, more: Record<string, unknown> = {}) =>
    world.send(github.event(pull, action, more));
  if (what === "reopen") {
    if (pull.state === "open") return;
    pull.state = "open";
    return send("reopened");
  }
  if (pull.state === "closed") return;
  switch (what) {
    case "push": {
      const changes = [...stage.changes.values()];
      const [before, after] = [pull.headSha, changes[head]!];
      if (before === after) return;
      pull.headSha = after;
      pull.headPushedAt = github.time;
      await stage.monorepo.setPullHead(pull.number, after);
      return send("synchronize", { before, after });
    }
    case "close":
      pull.state = "closed";
      return send("closed");
    case "draft":
    case "ready": {
      const draft = what === "draft";
      if (pull.draft === draft) return;
      pull.draft = draft;
      return send(draft ? "converted_to_draft" : "ready_for_review");
    }
    case "retarget": {
      const [from, to] = [pull.baseRef, BASES[base]!];
      if (from === to) return;
      pull.baseRef = to;
      return send("edited", { changes: { base: { ref: { from } } } });
    }
  }
}

/** The projects that a commit touches. */
export function touchedBy(world: StoryWorld, head: string): readonly string[] {
  const name = [...world.stage.changes].find(([, sha]) => sha === head)?.[0];
  return TOUCHED[name ?? ""] ?? [];
}

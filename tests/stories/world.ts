/** A repository with branches and changes, the roles that decide, and people who use them. */
import { join } from "node:path";
import { parseConfig } from "../../lib/config/config.ts";
import type { GitHub } from "../../lib/github/github.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import type { RoleContext, Service } from "../../lib/runtime/role.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import * as evaluationFilter from "../../services/evaluation_filter.ts";
import * as commentFilter from "../../services/github_comment_filter.ts";
import * as poster from "../../services/github_comment_poster.ts";
import * as massRebuilder from "../../services/mass_rebuilder.ts";
import { encode } from "../../lib/messages/codec.ts";
import { Random } from "../chaos/random.ts";
import { createMonorepo, type Monorepo } from "../../testing/monorepo.ts";
import { StoryBuilder } from "./builder.ts";
import { StoryGitHub, type Webhook } from "./github.ts";
import { StoryBroker } from "./story_broker.ts";

/** Systems; strangers have builds on the first alone. */
export const SYSTEMS = ["x86_64-linux", "aarch64-linux"] as const;
/** Who may push. */
export const TRUSTED = ["ada", "bob"];
/** Branches that pull requests go to. */
export const BASES = ["main", "release"] as const;

const make = { build_system: "Make" } as const;
const PROJECTS = [
  { name: "a", path: "a", ...make },
  { name: "b", path: "b", ...make, test: true },
  { name: "c", path: "c", ...make, depends_on: ["a"] },
];

/** The projects that a change has built, by the change's name. */
export const TOUCHED: Readonly<Record<string, readonly string[]>> = {
  "change-a": ["a", "c"],
  "change-b": ["b"],
  "change-ab": ["a", "b", "c"],
  "change-docs": [],
};

/** The repository that all stories share, which costs more to make than a story. */
export interface Stage {
  readonly monorepo: Monorepo;
  readonly folder: string;
  /** Commits of changes by their names. */
  readonly changes: ReadonlyMap<string, string>;
  /** Commits that a base branch may be at, by its name. */
  readonly tips: ReadonlyMap<string, readonly [string, string]>;
  close(): Promise<void>;
}

/** Makes the repository. */
export async function makeStage(): Promise<Stage> {
  const files = { "a/x": "1\n", "b/x": "1\n", "c/x": "1\n", "docs/x": "1\n" };
  const monorepo = await createMonorepo({ files, projects: PROJECTS });
  const folder = await Deno.makeTempDir({ prefix: "tickborg-stories-" });
  const changes = new Map<string, string>();
  for (const [name, projects] of Object.entries(TOUCHED)) {
    const paths = projects.length > 0 ? projects.filter((project) => project !== "c") : ["docs"];
    const changed = Object.fromEntries(paths.map((path) => [`${path}/y`, `${name}\n`]));
    changes.set(name, await monorepo.commit(name, changed));
  }
  const tips = new Map<string, readonly [string, string]>();
  for (const base of BASES) {
    const first = await monorepo.commit(base, { "README.md": `${base} 1\n` });
    // The second one is in conflict with one change.
    tips.set(base, [first, await monorepo.commit(base, { "a/y": `${base}\n`, "b/z": "1\n" })]);
  }
  return {
    monorepo,
    folder,
    changes,
    tips,
    async close() {
      await monorepo.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** What a commit of the stage is called. */
function nameOf({ changes, tips }: Stage, sha: string | undefined): string {
  const bases = [...tips].flatMap(([base, [first, second]]) =>
    [[`${base} 1`, first], [`${base} 2`, second]] as const
  );
  return [...changes, ...bases].find(([, commit]) => commit === sha)?.[0] ?? "";
}

/** What decides all that is left to chance. */
export interface Chance {
  readonly seed: number;
  /** Whether builds of one merge may end otherwise each time. */
  readonly flaky: boolean;
}

/** One story's world. */
export class StoryWorld {
  readonly stage: Stage;
  readonly random: Random;
  readonly github: StoryGitHub;
  readonly broker: StoryBroker;
  readonly builder: StoryBuilder;
  readonly #services: Service[] = [];
  readonly #tips = new Map<string, string>();
  readonly #seed: number;

  readonly #flaky: boolean;

  private constructor(stage: Stage, { seed, flaky }: Chance) {
    this.stage = stage;
    this.#flaky = flaky;
    this.#seed = seed;
    this.random = new Random(seed);
    const { owner, name, fullName: full_name, cloneUrl: clone_url } = stage.monorepo;
    const list = new TextEncoder().encode(JSON.stringify({ projects: PROJECTS }));
    this.github = new StoryGitHub({ owner, name, full_name, clone_url }, {
      files: (_ref, path) => Promise.resolve(path === ".tickborg.json" ? list : undefined),
      trusted: TRUSTED,
    });
    const { random } = this;
    this.broker = new StoryBroker(() => this.#services.flatMap((it) => it.consumers), random);
    this.builder = new StoryBuilder({
      broker: this.broker,
      random,
      systems: SYSTEMS,
      truth: (merge) => this.truth(merge),
      tip: (branch) => this.#tips.get(branch)!,
    });
  }

  /** Starts the roles on an empty GitHub; the branches are at their first tips. */
  static async begin(stage: Stage, chance: Chance): Promise<StoryWorld> {
    const world = new StoryWorld(stage, chance);
    for (const base of BASES) await world.moveBase(base, 0);
    const config = parseConfig({
      runner: { identity: "story", repos: [stage.monorepo.fullName] },
      checkout: { root: join(stage.folder, "checkout") },
      github: { api_url: "http://127.0.0.1:9", systems: [...SYSTEMS] },
      github_comment_poster: {},
      mass_rebuilder: {},
    });
    const context: RoleContext = {
      role: "story",
      config,
      broker: world.broker.broker,
      log: roleLogger("story"),
      now: () => world.github.now * 1_000,
      newId: () => crypto.randomUUID(),
      github: () => world.github as unknown as GitHub,
    };
    for (const role of [evaluationFilter, commentFilter, massRebuilder, poster]) {
      world.#services.push(await role.createService(context));
    }
    return world;
  }

  /** Whether a build of a merge passes; tests fail more often. */
  truth(
    { head, base, project, system, test }: {
      head: string;
      base: string | undefined;
      project: string;
      system: string;
      test: boolean;
    },
  ): boolean {
    if (this.#flaky && this.random.chance(0.3)) return this.random.chance(0.5);
    // A commit's hash depends on when the stage was made.
    const merge = `${nameOf(this.stage, head)} ${nameOf(this.stage, base)}`;
    const chance = (word: string) =>
      new Random(
        [...`${this.#seed} ${word} ${merge} ${project} ${system}`].reduce(
          (hash, char) => Math.imul(hash, 31) + char.charCodeAt(0),
          7,
        ),
      ).next();
    return chance("build") > 0.25 && (!test || chance("test") > 0.35);
  }

  /** Moves a base branch to one of its two tips. */
  async moveBase(base: string, which: 0 | 1): Promise<void> {
    const tip = this.stage.tips.get(base)![which];
    this.#tips.set(base, tip);
    await this.stage.monorepo.git("update-ref", `refs/heads/${base}`, tip);
  }

  /** Sends a webhook, now and then twice. */
  send({ event, payload }: Webhook): void {
    const queue = event === "pull_request" ? QUEUE.evaluationFilter : QUEUE.commentFilter;
    const headers = { "x-github-delivery": this.github.nextId() };
    const publication = { exchange: "", routingKey: queue, body: encode(payload), headers };
    this.broker.publish(this.random.chance(0.1) ? [publication, publication] : [publication]);
  }

  /** Lets a few things happen. */
  async go(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) await this.#step();
  }

  async #step(): Promise<boolean> {
    if (this.random.chance(0.4) && this.builder.step()) return true;
    return await this.broker.step() || this.builder.step();
  }

  /** Lets everything happen that is under way, and the time pass that roles wait for. */
  async settle(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      while (await this.#step());
      const passed = this.broker.passTime();
      if (passed === 0) break;
      this.github.now += Math.ceil(Math.min(passed, 600_000) / 1_000);
    }
    while (await this.#step());
  }
}

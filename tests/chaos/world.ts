/** What surrounds the roles: a monorepo with a git server, the fake GitHub, and people who use both. */
import type { WorkPlan } from "./plan.ts";
import { commitFiles, mainFiles, PROJECTS } from "./plan.ts";
import {
  type FakeGitHub,
  type FakeRepository,
  startFakeGitHub,
} from "../../testing/fake_github/mod.ts";
import { createMonorepo, type Monorepo } from "../../testing/monorepo.ts";

/** A piece of work as it went. */
export interface Work {
  readonly plan: WorkPlan;
  /** Its commits, oldest first. */
  readonly commits: string[];
  /** The pull request; undefined for a push. */
  number?: number;
  /** When people had done all they do: what must be is then fixed. */
  done: boolean;
}

/** The world of a run. */
export class World {
  readonly monorepo: Monorepo;
  readonly github: FakeGitHub;
  readonly repository: FakeRepository;
  readonly works: Work[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #ended = new AbortController();
  /** What people could not do: a defect of the run itself. */
  readonly failures: string[] = [];

  private constructor(parts: { monorepo: Monorepo; github: FakeGitHub }) {
    this.monorepo = parts.monorepo;
    this.github = parts.github;
    const { fullName, cloneUrl, upstream } = parts.monorepo;
    this.repository = parts.github.addRepository({ fullName, cloneUrl, upstream });
  }

  static async create(random: () => number): Promise<World> {
    const monorepo = await createMonorepo({ files: mainFiles(), projects: PROJECTS });
    const github = await startFakeGitHub({ random });
    return new World({ monorepo, github });
  }

  /** Does a piece of work in the background. */
  begin(plan: WorkPlan): void {
    const work: Work = { plan, commits: [], done: false };
    this.works.push(work);
    const running: Promise<void> = this.#do(work)
      .catch((error) => {
        if (!this.#ended.signal.aborted) this.failures.push(`Work ${plan.index}: ${error}`);
      })
      .finally(() => {
        work.done = true;
        this.#running.delete(running);
      });
    this.#running.add(running);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#running);
    await this.monorepo.close();
    await this.github.close();
  }

  async #do(work: Work): Promise<void> {
    const { plan, commits } = work;
    const { repository } = this;
    const branch = `${plan.kind === "push" ? "release" : "change"}-${plan.index}`;
    const first = await this.#commit(branch, commitFiles(plan.first, plan.index));
    commits.push(first);
    if (plan.kind === "push") return await this.#push(plan, branch, first);
    const pull = {
      headSha: first,
      headRef: branch,
      author: "ada",
      draft: plan.draft,
      number: plan.index + 1,
    };
    await repository.openPullRequest(pull);
    // Not before it is there: whoever looks at the work asks GitHub for it.
    work.number = pull.number;
    if (plan.second) {
      await this.#pause(plan.second.afterMs);
      const files = commitFiles(plan.second.commit, plan.index + 100_000);
      const second = await this.#commit(branch, files, first);
      commits.push(second);
      await repository.pushHead(pull.number, second);
    }
    if (plan.commentFor !== undefined) {
      // What somebody approves is what they saw: the evaluation has begun before they comment.
      await this.#pauseUntil(() => repository.statuses(first).length > 0);
      const text = `Please have a look\n\n@tickbot build ${plan.commentFor}`;
      await repository.comment(pull.number, text, { author: "ada" });
    }
    if (plan.closedAfterMs !== undefined) {
      await this.#pause(plan.closedAfterMs);
      await repository.closePullRequest(pull.number);
    }
  }

  async #push(plan: WorkPlan, branch: string, sha: string): Promise<void> {
    const before = await this.monorepo.git("rev-parse", "main");
    const modified = Object.keys(commitFiles(plan.first, plan.index));
    await this.repository.push({
      ref: `refs/heads/${branch}`,
      before,
      after: sha,
      commits: [{ id: sha, message: `Change ${branch}`, modified }],
      pusher: "ada",
    });
  }

  /** A commit on top of main, or of another one, without a work tree. */
  async #commit(branch: string, files: Record<string, string>, on?: string): Promise<string> {
    const ref = `refs/heads/${branch}`;
    const message = `Change ${branch}`;
    const encode = (text: string) => `data ${new TextEncoder().encode(text).length}\n${text}\n`;
    const lines = [
      `commit ${ref}\ncommitter Ada <ada@example.com> 1700000000 +0000\n${encode(message)}`,
      `from ${on ?? "refs/heads/main^0"}\n`,
      ...Object.entries(files).map(([path, text]) => `M 100644 inline ${path}\n${encode(text)}`),
      "done\n",
    ];
    const child = new Deno.Command("git", {
      args: ["--git-dir", this.monorepo.upstream, "fast-import", "--quiet", "--done"],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(lines.join("")));
    await writer.close();
    const { success, stderr } = await child.output();
    if (!success) throw new Error(`Cannot commit: ${new TextDecoder().decode(stderr)}`);
    return await this.monorepo.git("rev-parse", ref);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#ended;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(end, ms);
      function end(): void {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      }
      signal.addEventListener("abort", end);
    });
  }

  async #pauseUntil(look: () => boolean): Promise<void> {
    while (!look()) await this.#pause(200);
  }
}

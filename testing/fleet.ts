/**
 * A whole Tickborg on this machine: every role in this process, over the embedded broker or
 * RabbitMQ, with the fake GitHub and a real git server. Its methods are the actions of the bot's
 * users.
 */
import { join } from "node:path";
import { openBroker } from "../lib/broker/open.ts";
import type { Broker } from "../lib/broker/broker.ts";
import { type Config, parseConfig } from "../lib/config/config.ts";
import { roleLogger } from "../lib/runtime/log.ts";
import type { RunningService } from "../lib/runtime/runner.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../services/roles.ts";
import { startRole } from "../services/start.ts";
import {
  type FakeCheckRun,
  type FakeComment,
  type FakeGitHub,
  type FakePull,
  type FakeRepository,
  type FakeStatus,
  startFakeGitHub,
} from "./fake_github/mod.ts";
import { freeListens, type Listens, WEBHOOK_SECRET, writeConfig } from "./fleet_config.ts";
import { createMonorepo, type Files, type Monorepo, type ProjectInput } from "./monorepo.ts";
import type { Vhost } from "./rabbitmq.ts";
import { TIMEOUT_MS, until } from "./waiting.ts";

/** Options of a fleet. */
export interface FleetOptions {
  readonly files: Files;
  readonly projects: readonly ProjectInput[];
  /** A virtual host on a RabbitMQ; the embedded broker when absent. */
  readonly vhost?: Vhost;
  /** Changes the configuration before the roles see it. */
  readonly configure?: (config: Record<string, unknown>) => void;
  /** Roles to start here; all when absent. */
  readonly roles?: readonly RoleName[];
  /** See `RunnerOptions.retryScale`; a hundredth when absent. */
  readonly retryScale?: number;
}

/** A pull request to open. */
export interface PullRequestInput {
  readonly files: Files;
  readonly title?: string;
  readonly author?: string;
  readonly draft?: boolean;
  readonly message?: string;
  /** See `PullInput`. */
  readonly sameRepository?: boolean;
}

/** Starts a fleet; resolves when every role consumes. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  await using made = new AsyncDisposableStack();
  const monorepo = await createMonorepo(options);
  made.defer(() => monorepo.close());
  const folder = await Deno.makeTempDir({ prefix: "tickborg-fleet-" });
  made.defer(() => Deno.remove(folder, { recursive: true }));
  const github = await startFakeGitHub();
  made.defer(() => github.close());
  const repository = github.addRepository({
    fullName: monorepo.fullName,
    cloneUrl: monorepo.cloneUrl,
    upstream: monorepo.upstream,
  });
  const listens = freeListens();
  const file = await writeConfig({
    folder,
    github,
    repos: [monorepo.fullName],
    listens,
    vhost: options.vhost,
  });
  options.configure?.(file);
  await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(file, null, 2));
  github.setWebhook({
    url: `http://127.0.0.1:${listens.receiver}/github-webhook`,
    secret: WEBHOOK_SECRET,
  });
  const config = parseConfig(file);
  const fleet = new Fleet({ folder, monorepo, github, repository, listens, config });
  made.defer(() => fleet.stop());
  await fleet.start(options);
  made.move();
  return fleet;
}

interface Parts {
  readonly folder: string;
  readonly monorepo: Monorepo;
  readonly github: FakeGitHub;
  readonly repository: FakeRepository;
  readonly listens: Listens;
  readonly config: Config;
}

/** A running fleet. */
export class Fleet {
  readonly folder: string;
  readonly monorepo: Monorepo;
  readonly github: FakeGitHub;
  readonly repository: FakeRepository;
  readonly listens: Listens;
  readonly config: Config;
  readonly #running: RunningService[] = [];
  readonly #brokers: Broker[] = [];
  #branches = 0;

  constructor(parts: Parts) {
    this.folder = parts.folder;
    this.monorepo = parts.monorepo;
    this.github = parts.github;
    this.repository = parts.repository;
    this.listens = parts.listens;
    this.config = parts.config;
  }

  /** Path of the configuration file, for roles that run as separate processes. */
  get configPath(): string {
    return join(this.folder, "config.json");
  }

  /** A broker of the fleet, for inspecting queues. */
  get broker(): Broker {
    return this.#brokers[0]!;
  }

  /** Starts roles in this process. */
  async start({ roles = ROLE_NAMES, vhost, retryScale = 0.01 }: Partial<FleetOptions>) {
    const open = (section: "runner" | typeof ROLE_NAMES[number]) =>
      openBroker(this.config, section === "runner" ? section : roleOf(section).section, {
        log: roleLogger("test.broker"),
        embedded: vhost === undefined,
      });
    const { config } = this;
    if (!vhost && roles.length > 0) this.#brokers.push(await open("runner"));
    for (const name of roles) {
      if (vhost) this.#brokers.push(await open(name));
      const broker = this.#brokers.at(-1)!;
      this.#running.push(await startRole(name, { config, broker, retryScale }));
    }
  }

  /** Commits on a new branch, pushes it and opens a pull request. */
  async openPullRequest(input: PullRequestInput): Promise<FakePull> {
    const branch = `change-${++this.#branches}`;
    const message = input.message ?? input.title ?? `Change ${branch}`;
    const headSha = await this.monorepo.commit(branch, input.files, { message });
    return await this.repository.openPullRequest({
      headSha,
      headRef: branch,
      title: input.title ?? message,
      author: input.author ?? "ada",
      draft: input.draft ?? false,
      sameRepository: input.sameRepository ?? false,
    });
  }

  /** Pushes one more commit to a pull request; resolves to it. */
  async push(pull: FakePull, files: Files, options: { force?: boolean } = {}): Promise<string> {
    const sha = await this.monorepo.commit(pull.headRef, files, options);
    await this.repository.pushHead(pull.number, sha);
    return sha;
  }

  /** Comments on a pull request, as ada by default. */
  comment(pull: FakePull, body: string, author = "ada"): Promise<FakeComment> {
    return this.repository.comment(pull.number, body, { author });
  }

  /** Waits for a check run on the head, such as `cmark on x86_64-linux`, to get this conclusion. */
  expectCheck(pull: FakePull, name: string, conclusion: string): Promise<FakeCheckRun> {
    const { headSha } = pull;
    return this.github.waitForCheckRun(name, conclusion, { headSha, timeoutMs: TIMEOUT_MS });
  }

  /** Waits for the evaluation of the pull request's head to get this state. */
  expectEvaluation(pull: FakePull, state: string, timeoutMs = TIMEOUT_MS): Promise<FakeStatus> {
    return this.github.waitForStatus("tickborg/evaluation", state, {
      sha: pull.headSha,
      timeoutMs,
    });
  }

  /**
   * The text of the log that a check run links to, over HTTP as a browser gets it. Logs and check
   * runs arrive separately, so it waits until the log has its result too.
   */
  async log(check: FakeCheckRun): Promise<string> {
    const query = new URL(check.detailsUrl ?? "http://missing").searchParams;
    const [key, attempt] = [query.get("key"), query.get("attempt_id")];
    const root = `http://127.0.0.1:${this.listens.logs}`;
    await until(`the whole log of ${check.name}`, async () => {
      const response = await fetch(`${root}/logs/${key}`);
      if (!response.ok) return void await response.body?.cancel();
      return (await response.json()).attempts[attempt ?? ""]?.result;
    });
    const response = await fetch(`${root}/logfile/${key}/${attempt}`);
    if (!response.ok) throw new Error(`Cannot read log ${key}/${attempt}: ${response.status}`);
    return await response.text();
  }

  /** Stops the roles that run here, and their brokers. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((service) => service.stop(2_000)));
    await Promise.all(this.#brokers.map((broker) => broker.close()));
  }

  /** Stops everything and removes its files. Throws if a request was not as GitHub describes it. */
  async close(): Promise<void> {
    await this.stop();
    await this.monorepo.close();
    await Deno.remove(this.folder, { recursive: true });
    await this.github.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

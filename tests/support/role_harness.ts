/**
 * One deciding role under test: a real monorepo, the fake GitHub and the real client, and a handler that is
 * given messages one by one as `lib/runtime/runner.ts` gives them, so that a test sees what it publishes and when.
 */
import { join } from "node:path";
import type { Publication, Settlement } from "../../lib/broker/broker.ts";
import { type Config, parseConfig } from "../../lib/config/config.ts";
import { createGitHub } from "../../lib/github/client.ts";
import type { GitHub } from "../../lib/github/github.ts";
import { isLastTry } from "../../lib/runtime/retry.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { encode } from "../../lib/messages/codec.ts";
import type { EvaluationJob } from "../../lib/messages/evaluation_job.ts";
import type { RoleModule } from "../../lib/runtime/role.ts";
import {
  type FakeGitHub,
  type FakeRepository,
  startFakeGitHub,
} from "../../testing/fake_github/mod.ts";
import type { FakePull } from "../../testing/fake_github/state.ts";
import {
  createMonorepo,
  type Files,
  type Monorepo,
  type ProjectInput,
} from "../../testing/monorepo.ts";
import { deliveryOf, RecordingBroker } from "./recording_broker.ts";

/** How a harness is set up. */
export interface RoleHarnessOptions {
  readonly files?: Files;
  readonly projects?: readonly ProjectInput[];
  /** Sections of the configuration that differ. */
  readonly config?: Record<string, unknown>;
  /** Systems that builders are connected for; all when absent. */
  readonly served?: readonly string[];
}

/** What handling a message came to. */
export interface Handled {
  readonly published: readonly Publication[];
  readonly settle?: Settlement;
  /** What the handler threw instead. */
  readonly error?: unknown;
}

/** How a message is delivered. */
export interface DeliverOptions {
  /** The queue that the message comes from; the role's first one when absent. */
  readonly queue?: string;
  readonly tries?: number;
  readonly headers?: Record<string, unknown>;
  /** The process dies when it has published this many batches. */
  readonly dieAfter?: number;
}

/** Sets up a harness for a role. */
export async function startRoleHarness(
  role: RoleModule,
  options: RoleHarnessOptions = {},
): Promise<RoleHarness> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-role-" });
  const monorepo = await createMonorepo({
    files: options.files ?? {},
    ...(options.projects ? { projects: options.projects } : {}),
  });
  const github = await startFakeGitHub();
  const repository = github.addRepository({
    fullName: monorepo.fullName,
    cloneUrl: monorepo.cloneUrl,
    upstream: monorepo.upstream,
  });
  const { runner, github: section, ...rest } = options.config ?? {};
  const config = parseConfig({
    runner: { identity: "harness", repos: [monorepo.fullName], ...runner as object },
    checkout: { root: join(folder, "checkout") },
    github: {
      api_url: github.url,
      systems: ["x86_64-linux", "aarch64-linux"],
      ...section as object,
    },
    mass_rebuilder: {},
    ...rest,
  });
  return new RoleHarness({
    role,
    folder,
    monorepo,
    github,
    repository,
    config,
    served: options.served,
  });
}

interface Parts {
  readonly role: RoleModule;
  readonly folder: string;
  readonly monorepo: Monorepo;
  readonly github: FakeGitHub;
  readonly repository: FakeRepository;
  readonly config: Config;
  readonly served: readonly string[] | undefined;
}

/** A harness. */
export class RoleHarness implements AsyncDisposable {
  readonly monorepo: Monorepo;
  readonly github: FakeGitHub;
  readonly repository: FakeRepository;
  readonly config: Config;
  readonly #parts: Parts;
  /** Milliseconds since the epoch, as the role sees it. */
  now = Date.now();
  #branches = 0;

  constructor(parts: Parts) {
    this.monorepo = parts.monorepo;
    this.github = parts.github;
    this.repository = parts.repository;
    this.config = parts.config;
    this.#parts = parts;
  }

  /** The repository as messages name it. */
  get repo() {
    const { owner, name, fullName, cloneUrl } = this.monorepo;
    return { owner, name, full_name: fullName, clone_url: cloneUrl };
  }

  /** Commits on a new branch and opens a pull request. */
  async open(
    files: Files,
    pull: { title?: string; message?: string; author?: string; draft?: boolean } = {},
  ): Promise<FakePull> {
    const branch = `change-${++this.#branches}`;
    const message = pull.message ?? pull.title ?? "Change";
    const headSha = await this.monorepo.commit(branch, files, { message });
    return await this.repository.openPullRequest({ headSha, headRef: branch, ...pull });
  }

  /** The evaluation job of a pull request as it is now. */
  job(pull: FakePull, more: Partial<EvaluationJob> = {}): EvaluationJob {
    return {
      repo: this.repo,
      pr: { target_branch: pull.baseRef, number: pull.number, head_sha: pull.headSha },
      request_id: `delivery-${pull.headSha.slice(0, 8)}`,
      requested_at: pull.updatedAt,
      ...more,
    };
  }

  /** A client of the bot's own App. */
  gitHub(): GitHub {
    const { url: apiUrl, app: { id: appId, privateKey } } = this.github;
    return createGitHub({ apiUrl, appId, privateKey });
  }

  /** Gives a consumer of the role a message. */
  async deliver(message: unknown, options: DeliverOptions = {}): Promise<Handled> {
    const service = await this.#parts.role.createService({
      role: "test",
      config: this.config,
      broker: this.#broker(),
      log: roleLogger("test"),
      now: () => this.now,
      newId: () => crypto.randomUUID(),
      github: () => this.gitHub(),
    });
    const consumer = service.consumers
      .find(({ queue }) => queue === (options.queue ?? service.consumers[0]!.queue));
    const body = message instanceof Uint8Array ? message : encode(message);
    const { tries = 1, headers = {} } = options;
    const delivery = deliveryOf({ queue: consumer!.queue, tries, headers, body });
    const published: Publication[] = [];
    let batches = 0;
    const publish = (batch: readonly Publication[]) => {
      published.push(...batch);
      if (++batches === options.dieAfter) throw new Error("The process died here");
    };
    let decoded: unknown;
    try {
      decoded = consumer!.decode(delivery);
      const running = consumer!.handle(decoded, delivery, new AbortController().signal);
      const outcome = Symbol.asyncIterator in running
        ? await drain(running, publish)
        : await running;
      publish(outcome.publish);
      return { published, settle: outcome.settle };
    } catch (error) {
      // As the runner does after the last try.
      const lastMessages = isLastTry(error, delivery.tries)
        ? await consumer!.exhausted?.(decoded, error) ?? []
        : [];
      return { published: [...published, ...lastMessages], error };
    }
  }

  #broker(): RecordingBroker {
    const { served } = this.#parts;
    const broker = new RecordingBroker();
    broker.fail = new Error("A handler publishes through its outcome");
    broker.facts = (queue) => {
      const consumers = served?.every((system) => queue !== `build-inputs-${system}`) ? 0 : 1;
      return { ready: 0, consumers };
    };
    return broker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.monorepo.close();
    await Deno.remove(this.#parts.folder, { recursive: true });
    await this.github.close();
  }
}

async function drain(
  running: AsyncGenerator<
    readonly Publication[],
    { publish: readonly Publication[]; settle: Settlement }
  >,
  publish: (batch: readonly Publication[]) => void,
) {
  try {
    let step = await running.next();
    while (!step.done) {
      publish(step.value);
      step = await running.next();
    }
    return step.value;
  } finally {
    await running.return(undefined as never);
  }
}

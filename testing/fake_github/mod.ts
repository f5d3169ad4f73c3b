/**
 * A stateful fake GitHub for tests, served over HTTP so that the real client runs. It is strict:
 * every request and answer is checked against GitHub's own description, and `close()` throws if
 * something was not as described.
 */
import { FakeApp, generateAppKey } from "./app.ts";
import { Deliveries, type WebhookTarget } from "./deliveries.ts";
import { StateWaiter, type WaitOptions } from "./events.ts";
import { type Fault, Faults } from "./faults.ts";
import { OpenApi } from "./openapi.ts";
import { FakeRepository } from "./repository.ts";
import type { RepositoryInput, World } from "./repository_state.ts";
import { createHandler } from "./server.ts";
import { Shapes } from "./shapes.ts";
import type { FakeCheckRun, FakeDelivery, FakeStatus } from "./state.ts";

export type { Fault } from "./faults.ts";
export { FakeRepository } from "./repository.ts";
export type { RepositoryInput } from "./repository_state.ts";
export type * from "./state.ts";

/** Options of the fake. */
export interface FakeGitHubOptions {
  /** Any free port when absent. */
  readonly port?: number;
  /** Where webhooks go; can be set later with `setWebhook`. */
  readonly webhook?: WebhookTarget;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** A random number in [0, 1), for faults with a probability. */
  readonly random?: () => number;
  /** PEM of the App's key; a new one when absent. */
  readonly privateKey?: string;
  readonly appId?: number;
  /** Seconds until an installation token expires; 3,600 when absent. */
  readonly tokenSeconds?: number;
}

let processKey: string | undefined;
let processOpenApi: OpenApi | undefined;

/** Starts a fake GitHub. */
export function startFakeGitHub(options: FakeGitHubOptions = {}): Promise<FakeGitHub> {
  processOpenApi ??= new OpenApi();
  return Promise.resolve(new FakeGitHub(options, processOpenApi));
}

/** A running fake GitHub. */
export class FakeGitHub {
  /** The configuration's `github.api_url`. */
  readonly url: string;
  readonly app: FakeApp;
  readonly faults: Faults;
  readonly repositories = new Map<string, FakeRepository>();
  /** Requests and answers that were not as GitHub describes them. */
  readonly violations: string[] = [];
  /** Every request: `METHOD /path` without the query. */
  readonly requests: string[] = [];
  readonly #changes: StateWaiter;
  readonly #deliveries: Deliveries;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #world: World;

  constructor(options: FakeGitHubOptions, openApi: OpenApi) {
    const now = options.now ?? Date.now;
    this.app = new FakeApp({
      id: options.appId ?? 4_242,
      privateKey: options.privateKey ?? (processKey ??= generateAppKey()),
      tokenSeconds: options.tokenSeconds ?? 3_600,
      now,
    });
    this.faults = new Faults(options.random ?? Math.random);
    this.#changes = new StateWaiter(() => this.describe());
    let lastId = 10_000;
    this.#world = {
      time: () => new Date(now()).toISOString().replace(/\.\d+Z$/, "Z"),
      nextId: () => ++lastId,
      changed: () => this.#changes.notify(),
      deliver: (event, payload) => this.deliver(event, payload),
    };
    this.#deliveries = new Deliveries(this.#world);
    this.#deliveries.target = options.webhook;
    const handler = createHandler({
      ...this.#world,
      app: this.app,
      faults: this.faults,
      openApi,
      shapes: new Shapes(openApi, this.app.id),
      deliveries: this.#deliveries.log,
      redeliver: (delivery) => void this.#deliveries.redeliver(delivery),
      repository: (fullName) => this.repositories.get(fullName.toLowerCase()),
      violations: this.violations,
      requests: this.requests,
      now,
    });
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => {} },
      handler,
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Adds a repository that the App is installed on. */
  addRepository(input: RepositoryInput): FakeRepository {
    const repository = new FakeRepository(input, this.#world);
    this.repositories.set(input.fullName.toLowerCase(), repository);
    return repository;
  }

  /** Sends webhooks to a receiver from now on. */
  setWebhook(target: WebhookTarget | undefined): void {
    this.#deliveries.target = target;
  }

  /** Sends any webhook; resolves after the answer, or to undefined if there is no receiver. */
  deliver(
    event: string,
    payload: unknown,
    options: { guid?: string } = {},
  ): Promise<FakeDelivery | undefined> {
    return this.#deliveries.deliver({ event, body: JSON.stringify(payload), ...options });
  }

  /** Sends an earlier delivery again with the same guid. */
  redeliver(delivery: FakeDelivery): Promise<FakeDelivery | undefined> {
    return this.#deliveries.redeliver(delivery);
  }

  /** Every delivery so far, oldest first. */
  get deliveries(): readonly FakeDelivery[] {
    return this.#deliveries.log;
  }

  /** Milliseconds GitHub waits for the receiver's answer; 10,000 unless set. */
  set deliveryTimeoutMs(ms: number) {
    this.#deliveries.timeoutMs = ms;
  }

  /** Makes requests fail from now on; see {@link Fault}. */
  fail(fault: Fault): void {
    this.faults.add(fault);
  }

  /** Makes every answer slow. */
  slow(ms: number, on?: RegExp): void {
    this.faults.add({ slowMs: ms, ...(on ? { on } : {}) });
  }

  clearFaults(): void {
    this.faults.clear();
  }

  /** Resolves to the result of `look` as soon as it is not undefined, null or false. */
  waitFor<T>(look: () => T | undefined | null | false, options?: WaitOptions): Promise<T> {
    return this.#changes.waitFor(look, options);
  }

  /** Resolves to a check run of this name and conclusion (or status). */
  waitForCheckRun(
    name: string,
    state: string,
    options: WaitOptions & { headSha?: string } = {},
  ): Promise<FakeCheckRun> {
    const fits = (run: FakeCheckRun) =>
      run.name === name && (run.conclusion ?? run.status) === state &&
      (options.headSha === undefined || run.headSha === options.headSha);
    return this.waitFor(() => this.allCheckRuns.find(fits), {
      what: `check run ${name}: ${state}`,
      ...options,
    });
  }

  /** Resolves to the newest status of this context, when it has this state. */
  waitForStatus(
    context: string,
    state: string,
    options: WaitOptions & { sha?: string } = {},
  ): Promise<FakeStatus> {
    const newest = () => {
      const byCommit = new Map(
        this.allStatuses.filter((status) => status.context === context)
          .filter(({ sha }) => options.sha === undefined || sha === options.sha)
          .map((status) => [status.sha, status]),
      );
      return [...byCommit.values()].find((status) => status.state === state);
    };
    return this.waitFor(newest, { what: `status ${context}: ${state}`, ...options });
  }

  /** Check runs of every repository, oldest first. */
  get allCheckRuns(): FakeCheckRun[] {
    return [...this.repositories.values()].flatMap((repository) => repository.allCheckRuns);
  }

  /** Statuses of every repository, oldest first. */
  get allStatuses(): FakeStatus[] {
    return [...this.repositories.values()].flatMap((repository) => repository.allStatuses);
  }

  /** The state in lines, for the error of a failed wait. */
  describe(): string {
    const lines = [...this.repositories.values()].flatMap((repository) => [
      ...repository.allStatuses.map((it) =>
        `status ${it.sha.slice(0, 8)} ${it.context} ${it.state}: ${it.description}`
      ),
      ...repository.allCheckRuns.map((it) =>
        `check run ${it.headSha.slice(0, 8)} ${it.name} ${it.history.join(" → ")}: ${it.title}`
      ),
    ]);
    const deliveries = this.deliveries.slice(-10)
      .map((it) => `delivery ${it.event} ${it.action ?? ""} ${it.statusCode} ${it.answer}`);
    const requests = this.requests.slice(-10).map((it) => `request ${it}`);
    return [...lines, ...deliveries, ...requests, ...this.violations].map((line) => `  ${line}`)
      .join("\n");
  }

  /** Stops. Throws if a request or an answer was not as GitHub describes it. */
  async close(): Promise<void> {
    this.#changes.close();
    await this.#deliveries.settled();
    await this.#server.shutdown();
    if (this.violations.length > 0) {
      throw new Error(`Not as GitHub describes it:\n  ${this.violations.join("\n  ")}`);
    }
  }
}

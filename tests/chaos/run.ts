/** A run: the roles work, people use them, everything around them breaks, and in the end all must be right. */
import { join } from "node:path";
import { WEBHOOK_SECRET } from "../../testing/fleet_config.ts";
import { startRabbitMq } from "../../testing/rabbitmq.ts";
import { pause } from "../../testing/waiting.ts";
import type { Problem } from "./audit.ts";
import { conclude } from "./conclude.ts";
import type { Fault, Stage } from "./faults.ts";
import { BROKER_FAULTS } from "./faults_of_broker.ts";
import { ROLE_FAULTS } from "./faults_of_roles.ts";
import { OUTSIDE_FAULTS } from "./faults_outside.ts";
import { type ChaosFleet, layOutFleet, startAll } from "./fleet.ts";
import { Inspector, type Network } from "./inspector.ts";
import type { ChaosOptions } from "./options.ts";
import { planWork } from "./plan.ts";
import { dial, dialInTurn, Proxy } from "./proxy.ts";
import { Random } from "./random.ts";
import type { Report } from "./report.ts";
import { World } from "./world.ts";

/** Every kind of fault. */
export const FAULTS: readonly Fault[] = [...ROLE_FAULTS, ...BROKER_FAULTS, ...OUTSIDE_FAULTS];
/** Pieces of work that are under way at once. */
const AT_ONCE = 14;
/** Faults from which on a run is long enough for slow ones. */
const LONG_RUN = 50;
/** Faults that are made at once. */
const FAULT_LANES = 3;
/** Milliseconds for which all must stay right. */
const STILL_MS = 4_000;
/** Retries come a hundred times as soon as in production. */
const RETRY_SCALE = 0.01;

/** Runs chaos. */
export async function runChaos(options: ChaosOptions): Promise<Report> {
  const run = await ChaosRun.start(options);
  try {
    return await run.run();
  } finally {
    await run.close();
  }
}

class ChaosRun {
  readonly #options: ChaosOptions;
  readonly #folder: string;
  readonly #world: World;
  readonly #fleet: ChaosFleet;
  readonly #front: Proxy;
  readonly #network: Network | undefined;
  readonly #inspector: Inspector;
  readonly #started = performance.now();
  readonly #faults = new Map<string, number>();
  readonly #busy = new Set<Fault["group"]>();
  readonly #made = new Set<Fault["group"]>();
  #faultsMade = 0;
  #closed = false;

  private constructor(parts: {
    options: ChaosOptions;
    folder: string;
    world: World;
    fleet: ChaosFleet;
    network: Network | undefined;
  }) {
    this.#options = parts.options;
    this.#folder = parts.folder;
    this.#world = parts.world;
    this.#fleet = parts.fleet;
    this.#network = parts.network;
    this.#front = new Proxy(dialInTurn(parts.fleet.receiverPorts));
    this.#inspector = new Inspector(parts);
  }

  static async start(options: ChaosOptions): Promise<ChaosRun> {
    const folder = await Deno.makeTempDir({ prefix: "tickborg-chaos-" });
    options.onEvent?.({ kind: "folder", path: folder });
    const gitHubRandom = Random.of(options.seed, -1);
    const world = await World.create(() => gitHubRandom.next());
    let network: Network | undefined;
    if (options.broker === "rabbitmq") {
      const server = await startRabbitMq();
      network = { server, vhost: await server.vhost(), proxy: new Proxy(dial(server.port)) };
    }
    const fleet = await layOutFleet({
      folder,
      github: world.github,
      repo: world.monorepo.fullName,
      retryScale: RETRY_SCALE,
      ...(network && { vhost: { ...network.vhost, port: network.proxy.port } }),
    });
    return new ChaosRun({ options, folder, world, fleet, network });
  }

  async run(): Promise<Report> {
    const url = `http://127.0.0.1:${this.#front.port}/github-webhook`;
    this.#world.github.setWebhook({ url, secret: WEBHOOK_SECRET });
    await startAll(this.#fleet.instances);
    const ticker = setInterval(() => this.#tell(), 1_000);
    let problems: Problem[];
    try {
      await Promise.all([
        this.#work(),
        ...Array.from({ length: FAULT_LANES }, (_, lane) => this.#break(lane)),
      ]);
      await this.#mend();
      problems = await this.#settle();
    } finally {
      clearInterval(ticker);
    }
    return await conclude({
      world: this.#world,
      fleet: this.#fleet,
      network: this.#network,
      folder: this.#folder,
      options: this.#options,
      problems,
      faults: this.#faults,
      logLines: this.#inspector.logLines,
      seconds: () => (performance.now() - this.#started) / 1_000,
    });
  }

  get #overtime(): boolean {
    const { minutes } = this.#options;
    return minutes !== undefined && performance.now() - this.#started < minutes * 60_000;
  }

  /** The kinds of faults of this run. */
  get #kinds(): Fault[] {
    const { faults, minutes, only = "" } = this.#options;
    const long = minutes !== undefined || faults >= LONG_RUN || only !== "";
    return FAULTS.filter((fault) =>
      fault.name.includes(only) && (this.#network !== undefined || !fault.rabbitmq) &&
      (long || !fault.slow)
    );
  }

  /** Begins work as earlier work ends. */
  async #work(): Promise<void> {
    const { works } = this.#world;
    const { pullRequests, seed, minutes } = this.#options;
    while (minutes === undefined ? works.length < pullRequests : this.#overtime) {
      const unfinished = works.filter((work) =>
        !work.done || this.#inspector.audit(work).some((problem) =>
          problem.kind === "lost"
        )
      ).length;
      if (unfinished < AT_ONCE) this.#world.begin(planWork(seed, works.length));
      else await pause(100);
    }
  }

  /** Makes faults, spread over the work; each group of them comes once before any comes again. */
  async #break(lane: number): Promise<void> {
    const { seed, pullRequests, faults, minutes } = this.#options;
    const random = Random.of(seed, 1_000_000 + lane);
    const stage: Stage = {
      random,
      world: this.#world,
      instances: this.#fleet.instances,
      front: this.#front,
      ...(this.#network && { network: this.#network }),
    };
    while (minutes === undefined ? this.#faultsMade < faults : this.#overtime) {
      const share = this.#world.works.length / pullRequests;
      const due = minutes !== undefined || this.#faultsMade <= share * faults;
      const kinds = this.#kinds.filter(({ group }) => !this.#busy.has(group));
      if (!due || kinds.length === 0) {
        await pause(100);
        continue;
      }
      const fresh = kinds.filter(({ group }) => !this.#made.has(group));
      await this.#make(random.weighted(fresh.length > 0 ? fresh : kinds), stage);
      await pause(random.whole(0, minutes === undefined ? 800 : 3_000));
    }
  }

  async #make(fault: Fault, stage: Stage): Promise<void> {
    this.#faultsMade++;
    this.#busy.add(fault.group);
    try {
      const what = await fault.run(stage);
      if (what === undefined) {
        this.#faultsMade--;
        return;
      }
      this.#made.add(fault.group);
      this.#faults.set(fault.name, (this.#faults.get(fault.name) ?? 0) + 1);
      this.#options.onEvent?.({ kind: "fault", name: fault.name, what });
    } finally {
      this.#busy.delete(fault.group);
    }
  }

  /** No fault is left: what is down is started. */
  async #mend(): Promise<void> {
    this.#world.github.clearFaults();
    this.#world.monorepo.serverUp = true;
    await startAll(this.#fleet.instances);
  }

  /**
   * Waits until nothing is amiss and stays so, or nothing changes for long; resolves to what then is amiss.
   * A comment that arrives late has right check runs built once more: what is right must be still, too.
   */
  async #settle(): Promise<Problem[]> {
    const timeoutMs = (this.#options.timeoutSeconds ?? 600) * 1_000;
    let changed = performance.now();
    let before = "";
    for (;;) {
      const problems = await this.#inspector.amiss();
      const now = JSON.stringify([problems, this.#world.repository.contentWrites.length]);
      if (now !== before) [before, changed] = [now, performance.now()];
      const quiet = performance.now() - changed;
      if (quiet > (problems.length === 0 ? STILL_MS : timeoutMs)) return problems;
      await pause(500);
    }
  }

  #tell(): void {
    const { works, repository } = this.#world;
    const right =
      works.filter((work) => work.done && this.#inspector.audit(work).length === 0).length;
    const ended = repository.allCheckRuns.filter(({ status }) => status === "completed").length;
    const up = this.#fleet.instances.filter((instance) => instance.up).length;
    const seconds = Math.round((performance.now() - this.#started) / 1_000);
    const line = `${seconds} s: ${right} of ${works.length} pull requests right, ` +
      `${ended} of ${repository.allCheckRuns.length} check runs ended, ` +
      `${this.#faultsMade} faults, ${up} of ${this.#fleet.instances.length} processes up`;
    this.#options.onEvent?.({ kind: "progress", line });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#world.github.setWebhook(undefined);
    await Promise.all(this.#fleet.instances.map((instance) => instance.end("SIGKILL")));
    await this.#front.close();
    await this.#network?.proxy.close();
    await this.#network?.server[Symbol.asyncDispose]();
    // What GitHub was asked wrongly stands in the report already.
    await this.#world.close().catch(() => {});
    if (!this.#options.keep) await Deno.remove(this.#folder, { recursive: true });
    else await Deno.writeTextFile(join(this.#folder, "seed"), `${this.#options.seed}\n`);
  }
}

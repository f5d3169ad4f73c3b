/** Looks whether everything is as it must be: GitHub, then the logs, then the queues. */
import { hostSystem } from "../../lib/messages/systems.ts";
import type { RabbitMqServer, Vhost } from "../../testing/rabbitmq.ts";
import { audit, auditLog, type Problem } from "./audit.ts";
import type { ChaosFleet } from "./fleet.ts";
import { LogReader } from "./log_reader.ts";
import { expectedChecks } from "./plan.ts";
import type { Proxy } from "./proxy.ts";
import { mayHold, rabbitMqLeftovers } from "./queues.ts";
import type { Work, World } from "./world.ts";

/** The broker and the way to it. */
export interface Network {
  readonly server: RabbitMqServer;
  readonly vhost: Vhost;
  readonly proxy: Proxy;
}

/** Looks at a run's world. */
export class Inspector {
  readonly #world: World;
  readonly #network: Network | undefined;
  readonly #logs: LogReader;
  readonly #system = hostSystem();

  constructor(
    parts: { world: World; fleet: ChaosFleet; network: Network | undefined },
  ) {
    this.#world = parts.world;
    this.#network = parts.network;
    this.#logs = new LogReader(parts.fleet.logPorts);
  }

  /** Lines of the logs that were read at the last look. */
  get logLines(): number {
    return this.#logs.lines;
  }

  /** What is not as it must be for one piece of work, logs apart. */
  audit(work: Work): Problem[] {
    return audit(work, this.#world.repository, this.#system);
  }

  /** Everything that is not as it must be; logs and queues are looked at when all else is right. */
  async amiss(): Promise<Problem[]> {
    const { works, failures } = this.#world;
    const found: Problem[] = [
      ...works.filter((work) => !work.done)
        .map(({ plan }): Problem => ({ kind: "lost", what: `work ${plan.index} goes on` })),
      ...failures.map((what): Problem => ({ kind: "wrong", what })),
      ...works.flatMap((work) => this.audit(work)),
    ];
    if (found.length > 0) return found;
    const logs = await this.#auditLogs();
    return logs.length > 0 ? logs : await this.#auditQueues();
  }

  async #auditLogs(): Promise<Problem[]> {
    this.#logs.lines = 0;
    const problems: Problem[] = [];
    for (const work of this.#world.works) {
      if (work.plan.closedAfterMs !== undefined) continue;
      const runs = this.#world.repository.checkRuns(work.commits.at(-1)!);
      for (const build of expectedChecks(work.plan)) {
        const name = `${build.project} on ${this.#system}`;
        const run = runs.find((it) => it.name === name);
        const text = await this.#logs.read(run?.detailsUrl);
        const found: Problem[] = text === undefined
          ? [{ kind: "lost", what: `there is no log at ${run?.detailsUrl}` }]
          : auditLog(text, build);
        const place = `work ${work.plan.index}, ${name}`;
        problems.push(...found.map(({ kind, what }) => ({ kind, what: `${place}: ${what}` })));
      }
    }
    return problems;
  }

  /** Each message that is left is looked at in the conclusion; the embedded broker's file only then. */
  async #auditQueues(): Promise<Problem[]> {
    if (!this.#network) return [];
    const { server, vhost } = this.#network;
    const left = await rabbitMqLeftovers(server, vhost.name);
    return left.filter(({ queue, unacked }) => unacked > 0 || !mayHold(queue))
      .map(({ queue, ready, unacked }) => ({
        kind: "lost",
        what: `${queue} holds ${ready} waiting and ${unacked} unacknowledged messages`,
      }));
  }
}

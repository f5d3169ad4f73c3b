/** Events a second through the evaluation filter: from its queue to evaluation jobs in the next one. */
import type { Broker } from "../../lib/broker/broker.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { startRole } from "../../services/start.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { until } from "../../testing/waiting.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { pullRequestOpened } from "./payload.ts";
import { cpuMicroseconds, median, startOne } from "./processes.ts";
import { onlySections } from "./webhooks.ts";

const ROUNDS = 3;
const EVENTS = 10_000;
/** Jobs that must be there when the clock starts, so that starting the role is not measured, and at its end. */
const FROM = 1_000;
const TO = 9_000;
/** Milliseconds between two looks: each is work for the server. */
const LOOK_MS = 100;

interface Round {
  readonly perSecond: number;
  /** Microseconds of processor time for an event, of the filter and of its broker. */
  readonly cpu: number;
  readonly brokerCpu: number;
}

/** Fills the filter's queue, starts the filter, and watches the jobs that arrive in the next queue. */
export async function measureFilter({ broker, pid, withVhost }: BenchBroker): Promise<Figure[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(
      await withVhost(async (vhost) => {
        const fleet = await startFleet({
          files: { x: "" },
          projects: [],
          roles: [],
          ...(vhost && { vhost }),
          configure: onlySections("evaluation_filter"),
        });
        const log = roleLogger("bench");
        const embedded = vhost === undefined;
        const connection = await openBroker(fleet.config, "evaluation_filter", { log, embedded });
        try {
          await fill(connection, fleet.monorepo.fullName);
          const filter = await startFilter(fleet, embedded ? connection : undefined);
          const round = await measure(connection, [filter.pid, pid]);
          await filter.stop();
          return round;
        } finally {
          await connection.close();
          await fleet.close();
        }
      }),
    );
  }
  return [{
    figure: "filter",
    broker,
    events: EVENTS,
    perSecond: Math.round(median(rounds.map(({ perSecond }) => perSecond))),
    cpuMicroseconds: Math.round(median(rounds.map(({ cpu }) => cpu))),
    brokerCpuMicroseconds: Math.round(median(rounds.map(({ brokerCpu }) => brokerCpu))),
    guide: "perSecond >= 5000",
  }];
}

async function fill(connection: Broker, fullName: string): Promise<void> {
  const body = pullRequestOpened(fullName);
  for (let sent = 0; sent < EVENTS; sent += 1_000) {
    await connection.publish(Array.from({ length: 1_000 }, (_, index) => ({
      exchange: "github-events",
      routingKey: `pull_request.${fullName.toLowerCase()}`,
      body,
      headers: {
        "x-github-delivery": `delivery-${sent + index}`,
        "x-github-event": "pull_request",
      },
    })));
  }
}

/** As a process of its own on RabbitMQ, in this one on the embedded broker, which serves one process. */
async function startFilter(fleet: Fleet, embedded: Broker | undefined) {
  if (embedded === undefined) {
    const process = await startOne("evaluation-filter", fleet);
    return { pid: process.pid, stop: () => process.stop() };
  }
  const { config } = fleet;
  const filter = await startRole("evaluation-filter", { config, broker: embedded });
  return { pid: Deno.pid, stop: () => filter.stop(1_000) };
}

async function measure(
  connection: Broker,
  pids: readonly (number | undefined)[],
): Promise<Round> {
  const reaches = (count: number) =>
    until(`${count} evaluation jobs`, async () => {
      const ready = (await connection.inspect(QUEUE.evaluationJobs))?.ready ?? 0;
      if (ready < count) return undefined;
      const used = pids.map((pid) => pid === undefined ? 0 : cpuMicroseconds(pid));
      const [cpu, brokerCpu] = await Promise.all(used) as [number, number];
      return { ready, at: performance.now(), cpu, brokerCpu };
    }, { ms: 120_000, everyMs: LOOK_MS });
  const first = await reaches(FROM);
  const last = await reaches(TO);
  const events = last.ready - first.ready;
  return {
    perSecond: events * 1_000 / (last.at - first.at),
    cpu: (last.cpu - first.cpu) / events,
    brokerCpu: (last.brokerCpu - first.brokerCpu) / events,
  };
}

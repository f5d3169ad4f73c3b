/** Log lines a second, from a builder's process output to the file on disk. */
import { join } from "node:path";
import type { Broker } from "../../lib/broker/broker.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { makeBuildJob } from "../../lib/scheduling/build_jobs.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { encode } from "../../lib/messages/codec.ts";
import type { RunningService } from "../../lib/runtime/runner.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { buildQueue } from "../../lib/broker/topology.ts";
import { startRole } from "../../services/start.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { until } from "../../testing/waiting.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { residentMegabytes, startOne } from "./processes.ts";

/** Lines by the form of the messages: many a message, or one a message as Rust collectors read them. */
const LINES = { batched: 2_000_000, single: 100_000 } as const;
type Form = keyof typeof LINES;

const ROLES = ["builder", "log-message-collector"] as const;

/** Builds a project that prints many lines as fast as it can, with a builder and a collector. */
export async function measureLogs(bench: BenchBroker): Promise<Figure[]> {
  return [await measureForm(bench, "batched"), await measureForm(bench, "single")];
}

function measureForm({ broker, withVhost }: BenchBroker, form: Form): Promise<Figure> {
  const lines = LINES[form];
  return withVhost(async (vhost) => {
    const fleet = await startFleet({
      files: { "noisy/build.sh": `exec seq -f 'line %.0f of the log of a build' 1 ${lines}\n` },
      projects: [{
        name: "noisy",
        path: "noisy",
        build_system: { Custom: { command: "sh build.sh" } },
      }],
      roles: [],
      ...(vhost && { vhost }),
      configure: (config) => {
        config.builder = { max_log_bytes: 1_000_000_000, log_messages: form };
      },
    });
    const log = roleLogger("bench");
    const embedded = vhost === undefined;
    const connection = await openBroker(fleet.config, "builder", { log, embedded });
    try {
      const roles = await startRoles(fleet, embedded ? connection : undefined);
      const start = performance.now();
      await publishJob(connection, fleet);
      const folder = join(fleet.folder, "logs", `${fleet.monorepo.fullName.toLowerCase()}.1`);
      const name = await until("a log's result", () => finished(folder), { ms: 120_000 });
      const seconds = (performance.now() - start) / 1_000;
      const bytes = await checkLog(join(folder, name), lines);
      const peaks = await roles.stop();
      return {
        figure: "logs",
        broker,
        messages: form,
        lines,
        bytes,
        seconds: Number(seconds.toFixed(2)),
        perSecond: Math.round(lines / seconds),
        ...peaks,
        guide: form === "batched" ? "perSecond >= 100000" : "none",
      };
    } finally {
      await connection.close();
      await fleet.close();
    }
  });
}

/** As processes of their own on RabbitMQ, in this one on the embedded broker, which serves one process. */
async function startRoles(fleet: Fleet, embedded: Broker | undefined) {
  if (embedded !== undefined) {
    const { config } = fleet;
    const running: RunningService[] = [];
    for (const name of ROLES) running.push(await startRole(name, { config, broker: embedded }));
    return {
      stop: async () => {
        await Promise.all(running.map((role) => role.stop(1_000)));
        return {};
      },
    };
  }
  const [builder, collector] = await Promise.all(ROLES.map((name) => startOne(name, fleet)));
  return {
    stop: async () => {
      const peaks = {
        builderPeakMegabytes: (await residentMegabytes(builder!.pid)).peak,
        collectorPeakMegabytes: (await residentMegabytes(collector!.pid)).peak,
      };
      await Promise.all([builder!.stop(), collector!.stop()]);
      return peaks;
    },
  };
}

async function publishJob(connection: Broker, { monorepo }: Fleet): Promise<void> {
  const headSha = await monorepo.commit("noise", { "noisy/x": "" });
  await monorepo.setPullHead(1, headSha);
  const { owner, name, fullName, cloneUrl } = monorepo;
  const job = makeBuildJob({
    repo: { owner, name, full_name: fullName, clone_url: cloneUrl },
    pr: { number: 1, head_sha: headSha, target_branch: "main" },
    requestId: "bench",
    requestedAt: new Date().toISOString(),
  }, { project: "noisy", system: hostSystem() });
  await connection.publish([{
    exchange: "",
    routingKey: buildQueue(hostSystem()),
    body: encode(job),
  }]);
}

/** The attempt whose result is there. */
async function finished(folder: string): Promise<string | undefined> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".result.json")) return name.replace(".result.json", "");
    }
  } catch (error) {
    // The collector has not made it yet.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Throws where a line is missing; resolves to the file's size. */
async function checkLog(path: string, lines: number): Promise<number> {
  const text = await Deno.readTextFile(path);
  const numbers = text.matchAll(/^line (\d+) of the log of a build$/gm);
  let expected = 1;
  for (const [, number] of numbers) {
    if (Number(number) !== expected++) {
      throw new Error(`Line ${expected - 1} of the log is missing`);
    }
  }
  if (expected !== lines + 1) throw new Error(`The log has ${expected - 1} lines, not ${lines}`);
  return (await Deno.stat(path)).size;
}

/** Webhooks accepted and confirmed a second, beside a bare server in the same run. */
import { join } from "node:path";
import { startFleet } from "../../testing/fleet.ts";
import { WEBHOOK_SECRET } from "../../testing/fleet_config.ts";
import { freePort } from "../../testing/ports.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { pullRequestOpened } from "./payload.ts";
import {
  cpuMicroseconds,
  median,
  residentMegabytes,
  runScript,
  startOne,
  startScript,
} from "./processes.ts";

const ROUNDS = 5;
const WARM_UP_SECONDS = 1;
const SECONDS = 3;
const CONNECTIONS = 128;

interface Round {
  readonly ours: Load;
  readonly bare: Load;
  readonly peakMegabytes: number;
  readonly payloadBytes: number;
}

/** What a server took: webhooks a second, and microseconds of processor time each, of it and of its broker. */
interface Load {
  readonly perSecond: number;
  readonly cpu: number;
  readonly brokerCpu: number;
}

/** Measures in turns, the receiver and the bare server, and takes the median of the ratios. */
export async function measureWebhooks(bench: BenchBroker): Promise<Figure[]> {
  const port = freePort();
  const bare = await startScript("bare_server.ts", [String(port), WEBHOOK_SECRET]);
  try {
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await measureRound(bench, { port, pid: bare.pid }));
    }
    const middle = (value: (round: Round) => number) => median(rounds.map(value));
    return [{
      figure: "webhooks",
      broker: bench.broker,
      payloadBytes: rounds[0]!.payloadBytes,
      perSecond: Math.round(middle(({ ours }) => ours.perSecond)),
      barePerSecond: Math.round(middle(({ bare }) => bare.perSecond)),
      ratioToBare: Number(middle(({ ours, bare }) => ours.perSecond / bare.perSecond).toFixed(3)),
      cpuMicroseconds: Math.round(middle(({ ours }) => ours.cpu)),
      brokerCpuMicroseconds: Math.round(middle(({ ours }) => ours.brokerCpu)),
      bareCpuMicroseconds: Math.round(middle(({ bare }) => bare.cpu)),
      peakMegabytes: middle(({ peakMegabytes }) => peakMegabytes),
      guide: "ratioToBare >= 0.25",
    }];
  } finally {
    await bare.stop();
  }
}

/** A fresh receiver, so that no round meets the messages that earlier ones have left. */
function measureRound(
  { broker, pid, withVhost }: BenchBroker,
  bareServer: Server,
): Promise<Round> {
  return withVhost(async (vhost) => {
    const fleet = await startFleet({
      files: { x: "" },
      projects: [],
      roles: [],
      ...(vhost && { vhost }),
      configure: onlySections("github_webhook_receiver"),
    });
    try {
      const payload = join(fleet.folder, "payload.json");
      const body = pullRequestOpened(fleet.monorepo.fullName);
      await Deno.writeFile(payload, body);
      const role = await startOne(
        broker === "embedded" ? "all" : "github-webhook-receiver",
        fleet,
      );
      const server = { port: fleet.listens.receiver, pid: role.pid, brokerPid: pid };
      const ours = await load(server, payload);
      const { peak } = await residentMegabytes(role.pid);
      await role.stop();
      const bare = await load(bareServer, payload);
      return { ours, bare, peakMegabytes: peak, payloadBytes: body.length };
    } finally {
      await fleet.close();
    }
  });
}

interface Server {
  readonly port: number;
  readonly pid: number;
  readonly brokerPid?: number | undefined;
}

/** Sends webhooks for some seconds. Throws where one was not answered with 2xx. */
async function load({ port, pid, brokerPid }: Server, payload: string): Promise<Load> {
  const used = async (pid: number | undefined) =>
    pid === undefined ? 0 : await cpuMicroseconds(pid);
  const before = [await used(pid), await used(brokerPid)] as const;
  const args = [port, WEBHOOK_SECRET, payload, WARM_UP_SECONDS, SECONDS, CONNECTIONS];
  const { perSecond, accepted, refused } = JSON.parse(
    await runScript("load.ts", args.map(String)),
  );
  if (refused > 0) throw new Error(`${refused} webhooks were refused`);
  const cpu = (await used(pid) - before[0]) / accepted;
  return { perSecond, cpu, brokerCpu: (await used(brokerPid) - before[1]) / accepted };
}

/** Removes the sections of the roles that a bench does not run, so that `all` starts the others only. */
export function onlySections(...kept: string[]) {
  const sections = [
    "github_webhook_receiver",
    "evaluation_filter",
    "push_filter",
    "github_comment_filter",
    "mass_rebuilder",
    "builder",
    "github_comment_poster",
    "log_message_collector",
    "stats",
  ];
  return (config: Record<string, unknown>) => {
    for (const section of sections) if (!kept.includes(section)) delete config[section];
  };
}

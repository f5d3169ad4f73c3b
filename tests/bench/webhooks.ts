/** Webhooks accepted and confirmed a second, beside a bare server in the same run. */
import { join } from "node:path";
import { startFleet } from "../support/fleet.ts";
import { WEBHOOK_SECRET } from "../support/fleet_config.ts";
import { freePort } from "../support/ports.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { pullRequestOpened } from "./payload.ts";
import { median, residentMegabytes, runScript, startOne, startScript } from "./processes.ts";

const ROUNDS = 5;
const WARM_UP_SECONDS = 1;
const SECONDS = 3;
const CONNECTIONS = 64;

interface Round {
  readonly ours: number;
  readonly bare: number;
  readonly peakMegabytes: number;
  readonly payloadBytes: number;
}

/** Measures in turns, the receiver and the bare server, and takes the median of the ratios. */
export async function measureWebhooks(bench: BenchBroker): Promise<Figure[]> {
  const port = freePort();
  const bare = await startScript("bare_server.ts", [String(port), WEBHOOK_SECRET]);
  try {
    const rounds: Round[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await measureRound(bench, port));
    return [{
      figure: "webhooks",
      broker: bench.broker,
      payloadBytes: rounds[0]!.payloadBytes,
      perSecond: Math.round(median(rounds.map(({ ours }) => ours))),
      barePerSecond: Math.round(median(rounds.map((round) => round.bare))),
      ratioToBare: Number(median(rounds.map((round) => round.ours / round.bare)).toFixed(3)),
      peakMegabytes: median(rounds.map(({ peakMegabytes }) => peakMegabytes)),
      guide: "ratioToBare >= 0.25",
    }];
  } finally {
    await bare.stop();
  }
}

/** A fresh receiver, so that no round meets the messages that earlier ones have left. */
function measureRound({ broker, withVhost }: BenchBroker, barePort: number): Promise<Round> {
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
      const ours = await load(fleet.listens.receiver, payload);
      const { peak } = await residentMegabytes(role.pid);
      await role.stop();
      const bare = await load(barePort, payload);
      return { ours, bare, peakMegabytes: peak, payloadBytes: body.length };
    } finally {
      await fleet.close();
    }
  });
}

/** Webhooks a second that were answered with 2xx. Throws where any was not. */
async function load(port: number, payload: string): Promise<number> {
  const args = [port, WEBHOOK_SECRET, payload, WARM_UP_SECONDS, SECONDS, CONNECTIONS];
  const { perSecond, refused } = JSON.parse(await runScript("load.ts", args.map(String)));
  if (refused > 0) throw new Error(`${refused} webhooks were refused`);
  return perSecond;
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

/** Webhooks accepted and confirmed a second, beside a bare server in the same run. */
import { join } from "node:path";
import { startFleet } from "../support/fleet.ts";
import { WEBHOOK_SECRET } from "../support/fleet_config.ts";
import { freePort } from "../support/ports.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { median, runScript, startRoles, startScript } from "./processes.ts";

const ROUNDS = 3;
const SECONDS = 4;
const CONNECTIONS = 64;

/** Measures in turns, the receiver and the bare server, and takes the median of the ratios. */
export async function measureWebhooks({ broker, vhost }: BenchBroker): Promise<Figure[]> {
  const host = await vhost();
  const fleet = await startFleet({
    files: { x: "" },
    projects: [],
    roles: [],
    ...(host && { vhost: host }),
    configure: onlySections("github_webhook_receiver"),
  });
  const payload = join(fleet.folder, "payload.json");
  await Deno.copyFile(
    new URL("../data/wire/github_pull_request_converted_to_draft.json", import.meta.url),
    payload,
  );
  const roles = await startRoles(fleet, broker, ["github-webhook-receiver"]);
  const port = freePort();
  const bare = await startScript("bare_server.ts", [String(port), WEBHOOK_SECRET]);
  const load = async (to: number) =>
    JSON.parse(
      await runScript("load.ts", [
        String(to),
        WEBHOOK_SECRET,
        payload,
        String(SECONDS),
        String(CONNECTIONS),
      ]),
    );
  try {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ours = await load(fleet.listens.receiver);
      const baseline = await load(port);
      if (ours.refused > 0) throw new Error(`${ours.refused} webhooks were refused`);
      rounds.push({ ours: ours.perSecond, bare: baseline.perSecond });
    }
    return [{
      figure: "webhooks",
      broker,
      payloadBytes: (await Deno.stat(payload)).size,
      perSecond: Math.round(median(rounds.map(({ ours }) => ours))),
      barePerSecond: Math.round(median(rounds.map((round) => round.bare))),
      ratioToBare: Number(median(rounds.map((round) => round.ours / round.bare)).toFixed(3)),
      guide: "ratioToBare >= 0.25",
    }];
  } finally {
    await bare.stop();
    await Promise.all(roles.map((role) => role.stop()));
    await fleet.close();
  }
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

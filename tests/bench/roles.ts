/** Start-up until consuming, and resident memory, of each role and of all in one process. */
import { ROLE_NAMES } from "../../services/roles.ts";
import { startFleet } from "../support/fleet.ts";
import { startRole } from "../support/role_process.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { median, residentMegabytes } from "./processes.ts";

const ROUNDS = 3;

/** On RabbitMQ each role as a process; on the embedded broker `all`. */
export async function measureRoles({ broker, vhost }: BenchBroker): Promise<Figure[]> {
  const host = await vhost();
  const fleet = await startFleet({
    files: { x: "" },
    projects: [],
    roles: [],
    ...(host && { vhost: host }),
  });
  const figures: Figure[] = [];
  try {
    for (const role of broker === "embedded" ? ["all" as const] : ROLE_NAMES) {
      const rounds = [];
      for (let round = 0; round < ROUNDS; round++) {
        const start = performance.now();
        const process = startRole(role, fleet.configPath);
        await process.ready;
        const seconds = (performance.now() - start) / 1_000;
        const megabytes = await residentMegabytes(process.pid);
        await process.stop();
        rounds.push({ seconds, megabytes });
      }
      figures.push({
        figure: "role",
        broker,
        role,
        startSeconds: Number(median(rounds.map(({ seconds }) => seconds)).toFixed(2)),
        residentMegabytes: Math.round(median(rounds.map(({ megabytes }) => megabytes))),
        guide: `startSeconds <= 1, residentMegabytes <= ${role === "all" ? 200 : 120}`,
      });
    }
    return figures;
  } finally {
    await fleet.close();
  }
}

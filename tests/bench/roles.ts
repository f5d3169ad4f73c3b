/** Start-up until consuming, and resident memory, of each role and of all in one process. */
import { delay } from "../../lib/common/async.ts";
import { ROLE_NAMES, type RoleName } from "../../services/roles.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { median, residentMegabytes, startOne } from "./processes.ts";

const ROUNDS = 3;

/** Milliseconds after which a role that has nothing to do has settled. */
const SETTLED_MS = 500;

/** On RabbitMQ each role as a process, and `all`; on the embedded broker `all`, the only way to use it. */
export function measureRoles({ broker, withVhost }: BenchBroker): Promise<Figure[]> {
  return withVhost(async (vhost) => {
    const options = { files: { x: "" }, projects: [], roles: [], ...(vhost && { vhost }) };
    const fleet = await startFleet(options);
    try {
      const figures: Figure[] = [];
      for (const role of broker === "embedded" ? [] : ROLE_NAMES) {
        figures.push({ figure: "role", broker, ...await measureRole(role, fleet) });
      }
      figures.push({ figure: "role", broker, ...await measureRole("all", fleet) });
      return figures;
    } finally {
      await fleet.close();
    }
  });
}

async function measureRole(role: RoleName | "all", fleet: Fleet): Promise<Figure> {
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const process = await startOne(role, fleet);
    const seconds = (performance.now() - start) / 1_000;
    await delay(SETTLED_MS);
    const { now, peak } = await residentMegabytes(process.pid);
    await process.stop();
    rounds.push({ seconds, megabytes: Math.max(now, peak) });
  }
  return {
    role,
    startSeconds: Number(median(rounds.map(({ seconds }) => seconds)).toFixed(2)),
    residentMegabytes: median(rounds.map(({ megabytes }) => megabytes)),
    guide: `startSeconds <= 1, residentMegabytes <= ${role === "all" ? 200 : 120}`,
  };
}

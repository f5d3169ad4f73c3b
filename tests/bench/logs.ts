/** Log lines a second, from a builder's process output to the file on disk. */
import { join } from "node:path";
import { delay } from "../../lib/async.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { roleLogger } from "../../lib/log.ts";
import { makeBuildJob } from "../../lib/jobs.ts";
import { encode } from "../../lib/messages/codec.ts";
import { hostSystem } from "../../lib/systems.ts";
import { buildQueue } from "../../lib/topology.ts";
import { startFleet } from "../support/fleet.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { startRole } from "../../services/start.ts";

const LINES = 2_000_000;

/** Builds a project that prints many lines as fast as it can, with a builder and a collector. */
export async function measureLogs({ broker, vhost }: BenchBroker): Promise<Figure[]> {
  const host = await vhost();
  const fleet = await startFleet({
    files: { "noisy/build.sh": `exec seq -f 'line %.0f of the log of a build' 1 ${LINES}\n` },
    projects: [{
      name: "noisy",
      path: "noisy",
      build_system: { Custom: { command: "sh build.sh" } },
    }],
    roles: [],
    ...(host && { vhost: host }),
    configure: (config) => {
      config.builder = { ...(config.builder as object), max_log_bytes: 1_000_000_000 };
    },
  });
  const log = roleLogger("bench");
  const open = () => openBroker(fleet.config, "builder", { log, embedded: !host });
  const connections = [await open()];
  if (host) connections.push(await open());
  const [first, second = first] = connections;
  const names = ROLE_NAMES.filter((name) => name === "builder" || name === "log-message-collector");
  const roles = [];
  for (const [index, name] of names.entries()) {
    roles.push(
      await startRole(name, { config: fleet.config, broker: index === 0 ? first! : second! }),
    );
  }
  try {
    const headSha = await fleet.monorepo.commit("noise", { "noisy/x": "" });
    await fleet.monorepo.setPullHead(1, headSha);
    const { owner, name, fullName, cloneUrl } = fleet.monorepo;
    const job = makeBuildJob({
      repo: { owner, name, full_name: fullName, clone_url: cloneUrl },
      pr: { number: 1, head_sha: headSha, target_branch: "main" },
      requestId: "bench",
      requestedAt: new Date().toISOString(),
    }, { project: "noisy", system: hostSystem() });
    const start = performance.now();
    await first!.publish([{
      exchange: "",
      routingKey: buildQueue(hostSystem()),
      body: encode(job),
    }]);
    const folder = join(fleet.folder, "logs", `${fullName.toLowerCase()}.1`);
    while (!await hasResult(folder)) await delay(20);
    const seconds = (performance.now() - start) / 1_000;
    return [{
      figure: "logs",
      broker,
      lines: LINES,
      bytes: await largestFile(folder),
      seconds: Number(seconds.toFixed(2)),
      perSecond: Math.round(LINES / seconds),
      guide: "perSecond >= 100000",
    }];
  } finally {
    await Promise.all(roles.map((role) => role.stop(1_000)));
    await Promise.all(connections.map((connection) => connection.close()));
    await fleet.close();
  }
}

async function hasResult(folder: string): Promise<boolean> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (name.endsWith(".result.json")) return true;
    }
  } catch {
    // The collector has not made it yet.
  }
  return false;
}

async function largestFile(folder: string): Promise<number> {
  let largest = 0;
  for await (const { name } of Deno.readDir(folder)) {
    largest = Math.max(largest, (await Deno.stat(join(folder, name))).size);
  }
  return largest;
}

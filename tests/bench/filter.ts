/** Events a second through the evaluation filter: from its queue to evaluation jobs in the next one. */
import { startFleet } from "../support/fleet.ts";
import { openBroker } from "../../lib/broker/open.ts";
import { roleLogger } from "../../lib/log.ts";
import { QUEUE } from "../../lib/topology.ts";
import { startRole } from "../../services/start.ts";
import type { BenchBroker, Figure } from "./main.ts";
import { onlySections } from "./webhooks.ts";
import { delay } from "../../lib/async.ts";

const EVENTS = 20_000;

/** Fills the filter's queue, starts the filter, and waits until as many jobs are in the next queue. */
export async function measureFilter({ broker, vhost }: BenchBroker): Promise<Figure[]> {
  const host = await vhost();
  const fleet = await startFleet({
    files: { x: "" },
    projects: [],
    roles: [],
    ...(host && { vhost: host }),
    configure: onlySections("evaluation_filter"),
  });
  const log = roleLogger("bench");
  const connection = await openBroker(fleet.config, "evaluation_filter", { log, embedded: !host });
  try {
    const body = new TextEncoder().encode(
      JSON.stringify(await pullRequestPayload(fleet.monorepo.fullName)),
    );
    for (let sent = 0; sent < EVENTS; sent += 1_000) {
      await connection.publish(Array.from({ length: 1_000 }, (_, index) => ({
        exchange: "github-events",
        routingKey: `pull_request.${fleet.monorepo.fullName.toLowerCase()}`,
        body,
        headers: { "x-github-delivery": `delivery-${sent + index}` },
      })));
    }
    const before = (await connection.inspect(QUEUE.evaluationJobs))?.ready ?? 0;
    const start = performance.now();
    const filter = await startRole("evaluation-filter", {
      config: fleet.config,
      broker: connection,
    });
    while (((await connection.inspect(QUEUE.evaluationJobs))?.ready ?? 0) - before < EVENTS) {
      await delay(20);
    }
    const seconds = (performance.now() - start) / 1_000;
    await filter.stop(1_000);
    return [{
      figure: "filter",
      broker,
      events: EVENTS,
      payloadBytes: body.length,
      perSecond: Math.round(EVENTS / seconds),
      guide: "perSecond >= 5000",
    }];
  } finally {
    await connection.close();
    await fleet.close();
  }
}

/** A recorded event, for the repository of the bench. */
async function pullRequestPayload(fullName: string) {
  const file = new URL("../data/wire/github_pull_request_converted_to_draft.json", import.meta.url);
  const payload = JSON.parse(await Deno.readTextFile(file));
  const [owner, name] = fullName.split("/");
  payload.action = "opened";
  Object.assign(payload.repository, {
    full_name: fullName,
    name,
    owner: { ...payload.repository.owner, login: owner },
  });
  return payload;
}

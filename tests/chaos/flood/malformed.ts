/** Messages that nobody can decode, each wrong in its own way. */
import type { Publication } from "../../../lib/broker/broker.ts";
import { buildQueue, QUEUE } from "../../../lib/broker/topology.ts";
import { hostSystem } from "../../../lib/messages/systems.ts";
import type { Random } from "../random.ts";

/** Queues that roles consume. */
export const CONSUMED: readonly string[] = [
  QUEUE.evaluationFilter,
  QUEUE.commentFilter,
  QUEUE.reviewComments,
  QUEUE.pushFilter,
  QUEUE.evaluationJobs,
  buildQueue(hostSystem()),
  QUEUE.buildResults,
  QUEUE.checkRuns,
  QUEUE.stats,
  QUEUE.logs,
];

/** The header that tells the messages of a flood apart. */
export const FLOOD_HEADER = "x-flood-id";

const encode = (text: string) => new TextEncoder().encode(text);
const repo = { owner: "..", name: "..", full_name: "../..", clone_url: "file:///etc" };
const pr = { number: -1, head_sha: "--upload-pack=touch /tmp/x", target_branch: 7 };

/** Bodies; a number keeps them apart. */
const BODIES: readonly ((id: number, random: Random) => Uint8Array)[] = [
  () => new Uint8Array(),
  () => encode("[null]"),
  (id) => encode(`${id}`),
  (id) => encode(`[${id}]`),
  (id) => encode(`{"flood":${id}`),
  (id) => encode(`{"flood":${id}}`),
  (_, random) =>
    Uint8Array.from({ length: random.whole(1, 300) }, () => random.whole(0, 255) | 0x80),
  (id) => encode(`not json ${id}`),
  (id) => encode("[".repeat(1_000 + id % 4_000)),
  (id) => encode(JSON.stringify({ repo, pr, attrs: id, request_id: {}, logs: "x" })),
  (id) => encode(JSON.stringify({ action: id, number: "1", repository: repo, pull_request: null })),
  (id) => encode(JSON.stringify({ tag: "V2", repo, pr, status: "Fine", output: id })),
  (id) => encode(JSON.stringify({ started: "yes", job: { repo, pr }, id })),
  (id) => encode(JSON.stringify({ watch: true, repo, name: "", head_sha: id })),
  (id) => encode(JSON.stringify({ sender: id, events: "job-received" })),
  (id) => encode(JSON.stringify({ attempt_id: "../x", line_number: 0, output: id })),
  (id) => encode(`{"__proto__":{"polluted":${id}},"constructor":null}`),
  (_, random) => encode(JSON.stringify({ text: "x".repeat(random.whole(1_000, 20_000)) })),
];

/** A message of a flood, for the queue and with the body that its number says. */
export function malformed(id: number, random: Random): Publication {
  const queue = CONSUMED[id % CONSUMED.length]!;
  const body = BODIES[Math.floor(id / CONSUMED.length) % BODIES.length]!(id, random);
  const place = queue === QUEUE.logs
    ? { exchange: "logs", routingKey: "project-tick/project-tick.1" }
    : { exchange: "", routingKey: queue };
  return { ...place, body, headers: { [FLOOD_HEADER]: id } };
}

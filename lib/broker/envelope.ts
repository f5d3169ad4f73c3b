/**
 * Headers that carry what a broker would lose when it moves a message between queues: where it was
 * first published, how often it was tried, and why it died. Peers ignore them.
 */
import { cutToBytes } from "../text/utf8.ts";
import type { Delivery } from "./broker.ts";

/** The headers. */
export const HEADER = {
  /** How often the message was tried, including the next delivery. */
  tries: "x-tickborg-attempt",
  /** The exchange and routing key it was first published with. */
  exchange: "x-tickborg-exchange",
  routingKey: "x-tickborg-routing-key",
  /** On dead letters: why, from which queue, and when (ISO 8601). */
  reason: "x-tickborg-reason",
  queue: "x-tickborg-queue",
  time: "x-tickborg-time",
  /** Identifies a leased delivery, so that a copy of it is recognized. */
  lease: "x-tickborg-hold",
} as const;

/** Headers of a message, ours or a peer's. */
export type Headers = Readonly<Record<string, unknown>>;

/** Maximum bytes of a reason in a header: all properties must fit into one AMQP frame. */
const MAX_REASON_BYTES = 4_000;

/** A header with more tries cannot be ours. */
const MAX_TRIES = 1_000_000;

/** A message as a queue delivers it. */
export interface ReceivedMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Headers;
}

/** Where a message was first published, and how often it was tried. */
export function originOf(
  received: ReceivedMessage,
): { exchange: string; routingKey: string; tries: number } {
  const { headers } = received;
  const tries = Number(headers[HEADER.tries]);
  const moved = typeof headers[HEADER.exchange] === "string" &&
    typeof headers[HEADER.routingKey] === "string";
  return {
    exchange: moved ? headers[HEADER.exchange] as string : received.exchange,
    routingKey: moved ? headers[HEADER.routingKey] as string : received.routingKey,
    tries: Number.isInteger(tries) && tries >= 1 && tries <= MAX_TRIES ? tries : 1,
  };
}

/** Headers of a copy that goes through another queue back to its own. */
export function movedHeaders(delivery: Delivery): Record<string, unknown> {
  return {
    ...withoutTrail(delivery.headers),
    [HEADER.exchange]: delivery.exchange,
    [HEADER.routingKey]: delivery.routingKey,
    [HEADER.tries]: delivery.tries,
  };
}

/** Headers of the next try. */
export function retriedHeaders(delivery: Delivery): Record<string, unknown> {
  return { ...movedHeaders(delivery), [HEADER.tries]: delivery.tries + 1 };
}

/** Headers of a dead letter: all original ones, and why it died. */
export function deadHeaders(
  delivery: Delivery,
  death: { reason: string; time: Date },
): Record<string, unknown> {
  return {
    ...movedHeaders(delivery),
    [HEADER.reason]: cutToBytes(death.reason, MAX_REASON_BYTES),
    [HEADER.queue]: delivery.queue,
    [HEADER.time]: death.time.toISOString(),
  };
}

/** Headers of a dead letter that starts again: the original ones, and where it was published. */
export function restartedHeaders(delivery: Delivery): Record<string, unknown> {
  const headers = movedHeaders(delivery);
  for (const name of [HEADER.tries, HEADER.reason, HEADER.queue, HEADER.time]) {
    delete headers[name];
  }
  return headers;
}

/** RabbitMQ records each expiry in its own headers, which only grow with our delays. */
const TRAIL = ["x-death", "x-first-death", "x-last-death"];

function withoutTrail(headers: Headers): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) =>
      name !== HEADER.lease && !TRAIL.some((prefix) => name.startsWith(prefix))
    ),
  );
}

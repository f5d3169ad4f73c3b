/**
 * Verifies GitHub's webhooks and publishes them (`docs/protocol.md`, "Webhook receiver, HTTP").
 * Answers 2xx only after the broker's confirm, because GitHub can redeliver only what failed.
 */
import type { Logger } from "@logtape/logtape";
import type { Broker } from "../lib/broker/broker.ts";
import { readSecret } from "../lib/config/secrets.ts";
import { ConfigError, describeError, TransientFault } from "../lib/common/errors.ts";
import { parseSignature, verify } from "../lib/github/signature.ts";
import { UnservedRepositories } from "../lib/github/unserved.ts";
import { BodyBudget, type BodyProblem, readWebhookBody } from "../lib/github/webhook_body.ts";
import { decodeText } from "../lib/messages/codec.ts";
import { statsMessage } from "../lib/monitoring/stats_events.ts";
import type { RoleContext, Service } from "../lib/runtime/role.ts";
import { CONSUMED_EVENTS, EXCHANGE } from "../lib/broker/topology.ts";

/** Milliseconds within which to answer; GitHub gives up after 10,000. */
const ANSWER_WITHIN_MS = 9_000;
/** Milliseconds to read a body. */
const BODY_WITHIN_MS = 7_000;
/** Minimum milliseconds for the broker, even after a slow body. */
const LEAST_PUBLISH_MS = 1_000;
/** Bytes in memory for all current bodies together: five of the largest. */
const MAX_HELD_BYTES = 128 * 1024 * 1024;

/** What the receiver needs. */
export interface ReceiverOptions {
  readonly secret: string;
  readonly broker: Pick<Broker, "publish">;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds to read a body; 7,000 when absent. */
  readonly bodyWithinMs?: number;
  /** Detects repositories that are not served, and the sender name for counting their webhooks. */
  readonly unserved?: { readonly repositories: UnservedRepositories; readonly identity: string };
}

/** Starts the role. */
export async function createService({ config, broker, log, now }: RoleContext): Promise<Service> {
  const section = config.github_webhook_receiver;
  if (!section) throw new ConfigError("github_webhook_receiver: missing");
  const key = "github_webhook_receiver.webhook_secret_file";
  const secret = await readSecret(section.webhook_secret_file, key);
  const { repos, identity } = config.runner;
  const unserved = { repositories: new UnservedRepositories(repos, log), identity };
  const fetch = createReceiver({ secret, broker, log, now, unserved });
  return { consumers: [], endpoints: [{ name: "webhooks", listen: section.listen, fetch }] };
}

/** The outcome of a request, before it becomes a response. */
interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Makes the handler of webhook requests. */
export function createReceiver(options: ReceiverOptions): (request: Request) => Promise<Response> {
  const budget = new BodyBudget(MAX_HELD_BYTES);
  const { log, now, bodyWithinMs = BODY_WITHIN_MS } = options;
  return async (request) => {
    if (request.method !== "POST") return respond(WRONG_METHOD, { allow: "POST" });
    const arrivedAt = now();
    const body = await readWebhookBody(request, { budget, timeoutMs: bodyWithinMs });
    if (typeof body === "string") return refuse(BODY_PROBLEMS[body], log);
    try {
      const webhook = parseWebhook(request.headers, body, options.secret);
      if ("status" in webhook) return refuse(webhook, log);
      return respond(await accept(webhook, { ...options, arrivedAt }));
    } finally {
      budget.give(body.byteLength);
    }
  };
}

const WRONG_METHOD: Answer = { status: 405, text: "Method not allowed: webhooks are sent by POST" };
const BODY_PROBLEMS: Readonly<Record<BodyProblem, Answer>> = {
  "too large": { status: 413, text: "Body too large: at most 25 MiB" },
  "too slow": { status: 408, text: "Body too slow: it did not arrive in time" },
  broken: { status: 400, text: "Body incomplete: the connection ended before the body did" },
  busy: { status: 503, text: "Busy: too many concurrent webhooks, redeliver this one later" },
};

/** A webhook that passed every check. */
export interface Webhook {
  readonly event: string;
  /** `owner/name`; undefined if the event has no repository. */
  readonly fullName: string | undefined;
  /** `X-GitHub-Delivery`, if valid. */
  readonly delivery: string | undefined;
  readonly body: Uint8Array;
}

/** Checks in the protocol's order; the first failure is the answer. */
function parseWebhook(
  headers: Headers,
  body: Uint8Array,
  secret: string,
): Webhook | Answer {
  const given = headers.get("x-hub-signature-256");
  if (given === null) return { status: 400, text: "Signature missing: no X-Hub-Signature-256" };
  const signature = parseSignature(given);
  if (!signature) {
    return { status: 400, text: "Signature malformed: expected sha256= and 64 hex digits" };
  }
  if (!verify(body, secret, signature)) {
    return { status: 403, text: "Signature mismatch: check the webhook secret" };
  }
  if (!/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) {
    return { status: 400, text: "Content-Type wrong: expected application/json" };
  }
  const event = headers.get("x-github-event") ?? "";
  if (!/^[a-z0-9_]{1,64}$/.test(event)) {
    return { status: 400, text: "X-GitHub-Event missing or malformed" };
  }
  const repository = repositoryOf(body);
  if ("status" in repository) return repository;
  const { fullName } = repository;
  if (fullName === undefined && CONSUMED_EVENTS.has(event)) return NO_REPOSITORY;
  const delivery = headers.get("x-github-delivery") ?? "";
  const valid = /^[A-Za-z0-9-]{1,64}$/.test(delivery);
  return { event, fullName, delivery: valid ? delivery : undefined, body };
}

const NOT_JSON: Answer = { status: 400, text: "Body malformed: expected a JSON object in UTF-8" };
const NO_REPOSITORY: Answer = { status: 400, text: "Body malformed: no repository.full_name" };

/** The repository's name, the only part of a payload that the receiver reads. */
function repositoryOf(body: Uint8Array): { fullName: string | undefined } | Answer {
  let payload: { repository?: { full_name?: unknown } | null } | null;
  try {
    payload = JSON.parse(decodeText(body));
  } catch {
    return NOT_JSON;
  }
  if (payload === null || typeof payload !== "object" || Array.isArray(payload)) return NOT_JSON;
  if (payload.repository === undefined || payload.repository === null) {
    return { fullName: undefined };
  }
  const name = payload.repository.full_name;
  // A routing key holds at most 255 bytes (AMQP 0-9-1, "shortstr").
  const valid = typeof name === "string" && name.length <= 180 &&
    /^[A-Za-z0-9._-]+\/[A-Za-z0-9._-]+$/.test(name);
  return valid ? { fullName: name } : NO_REPOSITORY;
}

/** The routing key of a webhook; undefined if there is nothing to publish. */
export function routingKey({ event, fullName }: Pick<Webhook, "event" | "fullName">):
  | string
  | undefined {
  if (fullName === undefined) return undefined;
  return `${CONSUMED_EVENTS.has(event) ? event : "unknown"}.${fullName.toLowerCase()}`;
}

async function accept(
  webhook: Webhook,
  options: ReceiverOptions & { arrivedAt: number },
): Promise<Answer> {
  const { event, fullName, delivery, body } = webhook;
  const key = routingKey(webhook);
  if (key === undefined) {
    return event === "ping"
      ? { status: 200, text: "Pong" }
      : { status: 202, text: `Nothing to do for ${event} without a repository` };
  }
  const { broker, log, now, arrivedAt, unserved } = options;
  const stranger = unserved?.repositories.has(fullName!) ?? false;
  // A peer on the same broker may serve it, so it is published all the same.
  const counted = stranger
    ? [statsMessage(unserved!.identity, [{ "webhook-unserved": fullName!.toLowerCase() }])]
    : [];
  const left = ANSWER_WITHIN_MS - (now() - arrivedAt);
  const headers = {
    "x-github-event": event,
    ...(delivery === undefined ? {} : { "x-github-delivery": delivery }),
  };
  try {
    const event = { exchange: EXCHANGE.githubEvents, routingKey: key, body, headers };
    await broker.publish([event, ...counted], {
      timeoutMs: Math.max(left, LEAST_PUBLISH_MS),
    });
  } catch (error) {
    if (!(error instanceof TransientFault)) throw error;
    log.warn("Webhook not queued", {
      event,
      repo: fullName,
      delivery,
      error: describeError(error),
    });
    return { status: 503, text: "Broker unavailable: redeliver this webhook later" };
  }
  log.debug("Webhook queued", { event, repo: fullName, delivery });
  const note = stranger ? ", which is not in runner.repos: it is not built" : "";
  return { status: 202, text: `Queued ${event} for ${fullName}${note}` };
}

function refuse(answer: Answer, log: Logger): Response {
  log.info("Webhook refused", { status: answer.status, reason: answer.text });
  return respond(answer);
}

function respond({ status, text }: Answer, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  });
}

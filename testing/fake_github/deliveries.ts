/** The App's webhook: sends signed deliveries and stores them with the answers, as GitHub does. */
import type { World } from "./repository_state.ts";
import type { FakeDelivery } from "./state.ts";

/** Where deliveries go, and the secret that signs them. */
export interface WebhookTarget {
  readonly url: string;
  readonly secret: string;
}

/** Options of one delivery. */
export interface DeliverOptions {
  readonly event: string;
  readonly body: string;
  /** A new one when absent. */
  readonly guid?: string;
  readonly redelivery?: boolean;
}

/** GitHub gives up after 10 seconds (GitHub docs, "Troubleshooting webhooks"). */
export const DELIVERY_TIMEOUT_MS = 10_000;

/** Sends deliveries and stores them. */
export class Deliveries {
  readonly log: FakeDelivery[] = [];
  target: WebhookTarget | undefined;
  timeoutMs = DELIVERY_TIMEOUT_MS;
  readonly #world: Pick<World, "time" | "nextId" | "changed">;
  readonly #running = new Set<Promise<unknown>>();

  constructor(world: Pick<World, "time" | "nextId" | "changed">) {
    this.#world = world;
  }

  /** Sends a delivery; resolves after any answer. */
  async deliver(options: DeliverOptions): Promise<FakeDelivery | undefined> {
    if (!this.target) return undefined;
    const running = this.#send(options, this.target);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Sends an earlier delivery again with the same guid. */
  redeliver(delivery: FakeDelivery): Promise<FakeDelivery | undefined> {
    const { event, body, guid } = delivery;
    return this.deliver({ event, body, guid, redelivery: true });
  }

  /** Resolves when no delivery is pending. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async #send(options: DeliverOptions, target: WebhookTarget): Promise<FakeDelivery> {
    const { event, body, guid = crypto.randomUUID(), redelivery = false } = options;
    const started = performance.now();
    const deliveredAt = this.#world.time();
    const { statusCode, answer } = await this.#post(target, { event, body, guid });
    const payload = JSON.parse(body);
    const delivery: FakeDelivery = {
      id: this.#world.nextId(),
      guid,
      event,
      action: payload.action,
      redelivery,
      deliveredAt,
      statusCode,
      answer,
      seconds: Math.round(performance.now() - started) / 1_000,
      repositoryId: payload.repository?.id,
      body,
    };
    this.log.push(delivery);
    this.#world.changed();
    return delivery;
  }

  async #post(
    target: WebhookTarget,
    { event, body, guid }: { event: string; body: string; guid: string },
  ): Promise<{ statusCode: number; answer: string }> {
    const bytes = new TextEncoder().encode(body);
    const giveUp = new AbortController();
    const timer = setTimeout(() => giveUp.abort(new Error("timed out")), this.timeoutMs);
    try {
      const response = await fetch(target.url, {
        method: "POST",
        body: bytes,
        signal: giveUp.signal,
        headers: {
          "content-type": "application/json",
          "user-agent": "GitHub-Hookshot/044aadd",
          "x-github-delivery": guid,
          "x-github-event": event,
          "x-github-hook-id": "292430182",
          "x-github-hook-installation-target-type": "integration",
          "x-hub-signature-256": await signature(bytes, target.secret),
        },
      });
      return { statusCode: response.status, answer: await response.text() };
    } catch (error) {
      return { statusCode: 0, answer: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The signature of a body, computed independently of the code under test. */
async function signature(body: Uint8Array<ArrayBuffer>, secret: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const raw = new TextEncoder().encode(secret);
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"]);
  return `sha256=${new Uint8Array(await crypto.subtle.sign("HMAC", key, body)).toHex()}`;
}

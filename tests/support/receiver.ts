/** A webhook receiver that listens, and a broker that keeps what it publishes. */
import assert from "node:assert/strict";
import { getLogger } from "@logtape/logtape";
import { sign } from "../../lib/github/signature.ts";
import { serveEndpoint } from "../../lib/runtime/http.ts";
import { createReceiver, type ReceiverOptions } from "../../services/github_webhook_receiver.ts";
import { RecordingBroker } from "./recording_broker.ts";

/** The webhook secret of the receivers of stories. */
export const SECRET = "It's a secret to everybody";
/** Where the receivers of stories log. */
export const log = getLogger(["tickborg", "test"]);
const encoder = new TextEncoder();

/** A receiver that listens. */
export interface Receiver {
  readonly broker: RecordingBroker;
  readonly port: number;
  /** Sends a signed webhook; headers given replace those that GitHub sends, null leaves one out. */
  send(body: Uint8Array | string, headers?: Record<string, string | null>): Promise<Response>;
}

/** The headers that GitHub signs a body with. */
export function signedHeaders(body: Uint8Array, event = "push"): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-github-event": event,
    "x-hub-signature-256": sign(body, SECRET),
  };
}

/** Runs a story with a receiver that listens. */
export function story(
  name: string,
  tell: (receiver: Receiver) => Promise<void>,
  options: Partial<ReceiverOptions> = {},
): void {
  Deno.test(name, async () => {
    const broker = new RecordingBroker();
    const fetchWebhook = createReceiver({
      secret: SECRET,
      broker,
      log,
      now: Date.now,
      ...options,
    });
    const served = serveEndpoint({ name: "test", listen: "127.0.0.1:0", fetch: fetchWebhook }, {
      broker,
      log,
    });
    const send = (body: Uint8Array | string, headers: Record<string, string | null> = {}) => {
      const bytes = typeof body === "string" ? encoder.encode(body) : new Uint8Array(body);
      const all: Record<string, string | null> = {
        ...signedHeaders(bytes, "pull_request"),
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        ...headers,
      };
      const given = Object.entries(all).filter((it): it is [string, string] => it[1] !== null);
      return fetch(`http://127.0.0.1:${served.port}/github-webhook`, {
        method: "POST",
        headers: given,
        body: bytes,
      });
    };
    try {
      await tell({ broker, port: served.port, send });
    } finally {
      await served.shutdown();
    }
  });
}

/** A payload of one repository. */
export const PAYLOAD = '{"action":"opened","repository":{"full_name":"Acme/Mono.Repo"}}';

/** Asserts an answer's status and text. */
export async function expect(response: Response, status: number, text: RegExp): Promise<void> {
  const body = await response.text();
  assert.equal(response.status, status, body);
  assert.match(body, text);
}

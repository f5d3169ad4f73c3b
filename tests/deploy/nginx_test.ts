import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import type { Broker } from "../../lib/broker/broker.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { encode } from "../../lib/messages/codec.ts";
import { roleOf } from "../../services/roles.ts";
import { startRole } from "../../services/start.ts";
import { startFleet } from "../../testing/fleet.ts";
import { WEBHOOK_SECRET } from "../../testing/fleet_config.ts";
import { until } from "../../testing/waiting.ts";
import { type Proxy, shipped, startNginx } from "./nginx.ts";
import { run, without } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const ignore = without("nginx", "openssl");

/** The receiver and the collector on one broker, behind the proxy. */
async function behindNginx(test: (proxy: Proxy, broker: Broker) => Promise<void>): Promise<void> {
  const fleet = await startFleet({ files: {}, projects: [], roles: [] });
  const { config, listens } = fleet;
  const broker = await openEmbedded(config.embedded_broker.path, { log: roleLogger("test") });
  const roles = ["github-webhook-receiver", "log-message-collector"] as const;
  const running = await Promise.all(roles.map((role) => startRole(role, { config, broker })));
  try {
    await inFolder(async (folder) => {
      await using proxy = await startNginx(folder, listens);
      await test(proxy, broker);
    });
  } finally {
    await Promise.all(running.map((role) => role.stop(0)));
    await broker.close();
    await fleet.close();
  }
}

/** A signed delivery of about that many bytes. */
function delivery(bytes: number): RequestInit & { body: string } {
  const body = JSON.stringify({
    action: "opened",
    repository: { full_name: "acme/monorepo" },
    padding: "x".repeat(bytes),
  });
  const signature = createHmac("sha256", WEBHOOK_SECRET).update(body).digest("hex");
  return {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "x-github-event": "push",
      "x-github-delivery": crypto.randomUUID(),
      "x-hub-signature-256": `sha256=${signature}`,
    },
  };
}

Deno.test({
  name:
    "nginx carries a signed webhook of 24 MB to the broker, and refuses one that GitHub never sends",
  ignore,
  fn: () =>
    behindNginx(async ({ url, client }, broker) => {
      const big = delivery(24 * 1024 * 1024);
      const accepted = await fetch(`${url}/github-webhook`, { ...big, client });
      assert.equal(accepted.status, 202, await accepted.text());
      let size = 0;
      await broker.browse("push-build-inputs", ({ body }) => {
        size = body.byteLength;
        return Promise.resolve("keep");
      });
      assert.equal(size, big.body.length);

      const forged = { ...delivery(10), body: `${delivery(10).body} ` };
      const refused = await fetch(`${url}/github-webhook`, { ...forged, client });
      assert.equal(refused.status, 403, await refused.text());
      const huge = await fetch(`${url}/github-webhook`, { ...delivery(26 * 1024 * 1024), client });
      assert.equal(huge.status, 413, await huge.text());
    }),
});

Deno.test({
  name: "nginx passes each line of a live log on as it comes",
  ignore,
  fn: () =>
    behindNginx(async ({ url, client }, broker) => {
      const attempt = { system: "x86_64-linux", identity: "laptop", attempt_id: "attempt-1" };
      const key = "acme/monorepo.7";
      const tell = (message: unknown) =>
        broker.publish([{ exchange: "logs", routingKey: key, body: encode(message) }]);
      const line = (number: number, output: string) =>
        tell({ ...attempt, line_number: number, output });
      await tell({ ...attempt, attempted_attrs: ["a"], skipped_attrs: null });
      await line(1, "first");
      const address = `${url}/logs/logfile/${key}/attempt-1?follow=1`;
      const response = await until("the log", async () => {
        const answer = await fetch(address, { client });
        if (answer.status === 200) return answer;
        await answer.body?.cancel();
      });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const readTo = async (end: string) => {
        while (!text.endsWith(end)) {
          const { value, done } = await reader.read();
          assert.equal(done, false, `ended after ${JSON.stringify(text)}`);
          text += value;
        }
      };
      // Each line is published only when the one before has arrived: nothing may wait for more.
      await readTo("first\n");
      for (let number = 2; number <= 20; number++) {
        await line(number, `line ${number}`);
        await readTo(`line ${number}\n`);
      }
      await reader.cancel();
    }),
});

Deno.test({
  name: "nginx serves the log viewer, and nothing of the roles that is not for everybody",
  ignore,
  fn: () =>
    behindNginx(async ({ url, plainUrl, client, status: rawStatus }) => {
      const status = async (path: string, init: RequestInit = {}) => {
        const response = await fetch(path, { ...init, client, redirect: "manual" });
        await response.body?.cancel();
        return response.status;
      };
      const viewer = await fetch(`${url}/logs/?key=acme/monorepo.7`, { client });
      assert.match(await viewer.text(), /<!doctype html>/i);
      assert.equal(viewer.headers.get("strict-transport-security"), "max-age=31536000");
      assert.equal(await status(`${url}/logs/logs/acme/none.1`), 404);
      assert.equal(await status(`${url}/health`), 404);
      assert.equal(await status(`${url}/metrics`), 404);
      assert.equal(await status(`${url}/github-webhook`), 403);
      assert.equal(await status(`${url}/logs/`, { method: "POST", body: "x" }), 403);
      const hidden = ["/logs/health", "/logs//health", "/logs/%68ealth", "/logs/./health"];
      const outside = ["/logs/../health", "/logs/../metrics", "/logs/%2e%2e/health"];
      const files = ["/logs/logfile/..%2f..%2fetc/passwd", "/logs/logfile/%2fetc/passwd"];
      for (const path of [...hidden, ...outside, ...files]) {
        assert.equal(await rawStatus(path), 404, path);
      }
      assert.equal(await rawStatus("/logs/../../etc/passwd"), 400);
      assert.equal(await rawStatus("/logs/"), 200);
      assert.equal(await status(`${plainUrl}/github-webhook`), 301);
    }),
});

Deno.test("the proxy's ports are those of the role table", () => {
  assert.ok(
    shipped.includes(`proxy_pass http://127.0.0.1:${roleOf("github-webhook-receiver").port};`),
  );
  assert.ok(
    shipped.includes(`proxy_pass http://127.0.0.1:${roleOf("log-message-collector").port}/;`),
  );
});

Deno.test({
  name: "nginx refuses a broken configuration, so that the tests above can fail",
  ignore: without("nginx"),
  fn: () =>
    inFolder(async (folder) => {
      await Deno.writeTextFile(`${folder}/nginx.conf`, "events {} http { server { listne 1; } }");
      const { code } = await run([
        "nginx",
        "-t",
        "-e",
        `${folder}/e`,
        "-c",
        `${folder}/nginx.conf`,
      ]);
      assert.notEqual(code, 0);
    }),
});

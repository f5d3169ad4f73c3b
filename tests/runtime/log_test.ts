import assert from "node:assert/strict";
import { formatWithFields, logSettings, parseLogFilter } from "../../lib/runtime/log.ts";

Deno.test("a filter names levels for all and for parts", () => {
  assert.deepEqual(parseLogFilter("info,tickborg.builder=debug"), {
    lowest: "info",
    categories: [{ category: ["tickborg", "builder"], level: "debug" }],
    ignored: [],
  });
});

Deno.test("what RUST_LOG may hold is understood, and the rest is named", () => {
  assert.deepEqual(parseLogFilter("warn,tickborg::mass_rebuilder=trace,[span]=info,lapin=off"), {
    lowest: "warning",
    categories: [
      { category: ["tickborg", "mass-rebuilder"], level: "trace" },
      { category: ["lapin"], level: null },
    ],
    ignored: ["[span]=info"],
  });
});

Deno.test("our variables come before the Rust bot's", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  assert.deepEqual(logSettings(env({})), { filter: "info", json: false });
  assert.deepEqual(logSettings(env({ RUST_LOG: "debug", RUST_LOG_JSON: "1" })), {
    filter: "debug",
    json: true,
  });
  assert.deepEqual(
    logSettings(env({ RUST_LOG: "debug", TICKBORG_LOG: "warn", TICKBORG_LOG_JSON: "0" })),
    {
      filter: "warn",
      json: false,
    },
  );
});

Deno.test("fields follow the message, and one that is absent is left out", () => {
  const properties = { event: "push", delivery: undefined, error: "not confirmed", repos: ["a/b"] };
  const line = formatWithFields({
    category: ["tickborg", "github-webhook-receiver"],
    level: "warning",
    message: ["Webhook not queued"],
    rawMessage: "Webhook not queued",
    timestamp: 0,
    properties,
  });
  assert.match(line, /Webhook not queued event=push error="not confirmed" repos=\["a\/b"\]\n$/);
});

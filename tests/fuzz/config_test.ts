/** Configuration files and log filters, mangled: used, or refused with every mistake named; never a crash. */
import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/config.ts";
import { ConfigError } from "../../lib/common/errors.ts";
import { parseLogFilter } from "../../lib/runtime/log.ts";
import { parseListen } from "../../lib/config/listen.ts";
import { hostileText, type Json, mutated } from "./arbitraries.ts";
import { assertRefusal, property } from "./property.ts";

const rabbitmq = { ssl: true, host: "mq.example.com:5671", username: "u", password_file: "/s/p" };
const FILE: Json = {
  rabbitmq: { ...rabbitmq, virtualhost: "tickborg" },
  github_webhook_receiver: { listen: "127.0.0.1:0", webhook_secret_file: "/s/w", rabbitmq },
  log_api_config: { listen: "[::1]:8081", logs_path: "/l", serve_root: "https://logs.example.com" },
  evaluation_filter: {},
  github_comment_filter: {},
  github_comment_poster: { stuck_seconds: 60 },
  mass_rebuilder: { max_projects: 3 },
  builder: { concurrency: 2, log_messages: "single", max_log_bytes: 100_000 },
  push_filter: { default_attrs: ["cmark"] },
  log_message_collector: { logs_path: "/l" },
  stats: { listen: "0.0.0.0:9090" },
  runner: { identity: "b", repos: ["a/b"], trusted_users: ["ada"], instance: 1 },
  checkout: { root: "/c" },
  build: { system: ["x86_64-linux"], build_timeout_seconds: 600, extra_env: { A: "b" } },
  github_app: { app_id: 1, private_key: "/s/k" },
  github: {
    api_url: "https://github.example.com/api/v3",
    handle: "@bot",
    systems: ["x86_64-linux"],
  },
  projects: [{ name: "cmark", path: "cmark", build_system: "CMake", depends_on: [] }],
};

property("a mangled configuration is used or refused", mutated([FILE]), (value) => {
  try {
    parseConfig(value, "fuzz.json");
  } catch (error) {
    assert.ok(error instanceof ConfigError, `Crashed: ${(error as Error).stack}`);
    assert.match(error.message, /^Cannot use fuzz\.json: \d+ mistakes?\n/);
    for (const line of error.message.split("\n")) {
      assert.ok(line.length <= 2_000, `A line of ${line.length} characters`);
    }
  }
});

property("any log filter is understood in part or whole", hostileText(), (text) => {
  for (const filter of [text, `info,${text}=debug`, `tickborg=${text}`, `${text},${text}`]) {
    const parsed = parseLogFilter(filter);
    assert.ok(parsed.categories.every(({ category }) => Array.isArray(category)));
  }
});

property("an address to listen on is parted without a crash", hostileText(), (text) => {
  try {
    parseListen(text);
  } catch (error) {
    assertRefusal(error, /./);
  }
});

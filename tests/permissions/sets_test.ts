import assert from "node:assert/strict";
import {
  type DenoJson,
  permissionSets,
  roleTasks,
  stringify,
} from "../../deploy/permission_sets.ts";
import { parseConfig } from "../../lib/config/config.ts";
import {
  narrowedPermissions,
  permissionFlags,
  type PermissionSet,
} from "../../services/permissions.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../../services/roles.ts";

const root = new URL("../../", import.meta.url);

/** A configuration that gives every role something of its own. */
const config = parseConfig({
  rabbitmq: { host: "mq.example.org", username: "bot", password_file: "/etc/tickborg/mq" },
  github_webhook_receiver: {
    listen: "127.0.0.1:8080",
    webhook_secret_file: "/etc/tickborg/hook",
    rabbitmq: {
      ssl: true,
      host: "[2001:db8::1]",
      username: "hook",
      password_file: "/etc/tickborg/hook-mq",
      ca_file: "/etc/tickborg/ca.pem",
    },
  },
  log_api_config: { listen: "[::1]:8081", logs_path: "/var/log/tickborg", serve_root: "https://x" },
  evaluation_filter: {},
  github_comment_filter: {},
  github_comment_poster: {},
  mass_rebuilder: {},
  builder: {},
  push_filter: {},
  log_message_collector: { logs_path: "/var/log/tickborg" },
  stats: {},
  runner: { identity: "test", repos: ["o/r"] },
  checkout: { root: "/var/cache/tickborg" },
  build: { system: "x86_64-linux" },
  github_app: { app_id: 1, private_key: "/etc/tickborg/app.pem" },
  github: { api_url: "https://ghe.example.org/api/v3" },
});

function narrowed(name: RoleName): PermissionSet {
  const row = { name, ...roleOf(name) };
  return narrowedPermissions(row, { config, configPath: "/etc/tickborg/config.json" });
}

/** Without systemd's sockets, which every role has. */
function own(items: true | readonly string[] | undefined): readonly string[] {
  assert.ok(Array.isArray(items));
  return items.filter((item) => !/\/run\/(tickborg-|systemd\/)/.test(item));
}

Deno.test("deno.json holds each role's set and task as the role table has them", () => {
  const text = Deno.readTextFileSync(new URL("deno.json", root));
  const file = JSON.parse(text) as DenoJson;
  assert.deepEqual(file.permissions, JSON.parse(JSON.stringify(permissionSets())));
  for (const name of ROLE_NAMES) assert.deepEqual(file.tasks[name], roleTasks()[name]);
  assert.equal(`${stringify(file)}\n`, text, "rewriting deno.json must change nothing else");
});

Deno.test("no set allows every program, every variable, native code, or code from elsewhere", () => {
  for (const [name, set] of Object.entries(permissionSets())) {
    assert.ok(Array.isArray(set.env), name);
    assert.ok(set.run === undefined || Array.isArray(set.run), name);
    assert.ok(!("ffi" in set) && !("all" in set), name);
    assert.deepEqual(set.import, ["none.invalid"], name);
  }
});

Deno.test("a narrowed set names hosts, ports, files and programs, and nothing whole", () => {
  for (const name of ROLE_NAMES) {
    const set = narrowed(name);
    for (const kind of ["read", "write", "net"] as const) assert.notEqual(set[kind], true, name);
  }
});

Deno.test("only roles that speak to GitHub reach its API and read the App's key", () => {
  for (const name of ROLE_NAMES) {
    const { net, read } = narrowed(name);
    const { github } = roleOf(name);
    assert.equal(own(net).includes("ghe.example.org:443"), github, name);
    assert.equal(own(read).includes("/etc/tickborg/app.pem"), github, name);
  }
});

Deno.test("only the receiver reads the webhook secret, only git's roles run git", () => {
  for (const name of ROLE_NAMES) {
    const { read, run = [] } = narrowed(name);
    const receiver = name === "github-webhook-receiver";
    assert.equal(own(read).includes("/etc/tickborg/hook"), receiver, name);
    const usesGit = ["push-filter", "mass-rebuilder", "builder"].includes(name);
    assert.equal(run.includes("git"), usesGit, name);
  }
});

Deno.test("the receiver's set: its own broker over TLS, its address, its secrets", () => {
  const { read, write, net, run } = narrowed("github-webhook-receiver");
  assert.deepEqual(own(read), [
    "/etc/tickborg/config.json",
    "/etc/tickborg/hook-mq",
    "/etc/tickborg/ca.pem",
    "/etc/tickborg/hook",
  ]);
  assert.deepEqual(own(write), []);
  assert.deepEqual(own(net), ["[2001:db8::1]:5671", "127.0.0.1:8080"]);
  assert.equal(run, undefined);
});

Deno.test("the collector's set: the log folder and the address of the log API", () => {
  const { read, write, net } = narrowed("log-message-collector");
  assert.deepEqual(own(read), [
    "/etc/tickborg/config.json",
    "/etc/tickborg/mq",
    "/var/log/tickborg",
  ]);
  assert.deepEqual(own(write), ["/var/log/tickborg"]);
  assert.deepEqual(own(net), ["mq.example.org:5672", "[::1]:8081"]);
});

Deno.test("the builder reaches GitHub's hosts of Git LFS contents, and its API nowhere", () => {
  const row = { name: "builder", ...roleOf("builder") };
  const own = { ...config, github: { ...config.github, api_url: "https://api.github.com" } };
  const { net } = narrowedPermissions(row, { config: own, configPath: "c.json" });
  assert.ok(Array.isArray(net));
  assert.ok(net.includes("github.com:443"));
  assert.ok(!net.includes("api.github.com:443"));
});

Deno.test("only the poster, which links to logs, reaches the pages of logs", () => {
  const log_api_config = {
    listen: "[::1]:8081",
    logs_path: "/l",
    serve_root: "https://ci.example.org/logs",
  };
  for (const name of ROLE_NAMES) {
    const row = { name, ...roleOf(name) };
    const { net } = narrowedPermissions(row, {
      config: { ...config, log_api_config },
      configPath: "c.json",
    });
    assert.equal(own(net).includes("ci.example.org:443"), name === "github-comment-poster", name);
  }
});

Deno.test("a credential is read where systemd puts it for the role's unit", () => {
  const rabbitmq = { ...config.rabbitmq!, password_file: "credential:mq" };
  const row = { name: "stats", ...roleOf("stats") };
  const read = (credentials?: string) =>
    own(
      narrowedPermissions(row, {
        config: { ...config, rabbitmq },
        configPath: "c.json",
        credentials,
      }).read,
    );
  assert.deepEqual(read(), ["c.json", "/run/credentials/tickborg-stats.service/mq"]);
  assert.deepEqual(read("/run/secrets"), ["c.json", "/run/secrets/mq"]);
});

Deno.test("a set becomes flags; a path that flags cannot name is refused", () => {
  const set: PermissionSet = {
    read: ["/a b", "/c"],
    write: true,
    net: ["h:1"],
    env: ["X", "Y"],
    import: ["none.invalid"],
  };
  assert.deepEqual(permissionFlags(set), [
    "--no-prompt",
    "--allow-read=/a b,/c",
    "--allow-write",
    "--allow-net=h:1",
    "--allow-env=X,Y",
    "--allow-import=none.invalid",
  ]);
  assert.throws(() => permissionFlags({ ...set, read: ["/a,b"] }), {
    name: "ConfigError",
    message: "Cannot permit /a,b: Deno splits paths at commas; use a path without one",
  });
});

/** Every role does its job under its narrowed permissions, and can do nothing else. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PermissionSet } from "../../lib/permissions.ts";
import { hostSystem } from "../../lib/systems.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../../services/roles.ts";
import { type Fleet, startFleet } from "../support/fleet.ts";
import { until } from "../support/inbox.ts";
import { startRabbitMq, withoutRabbitMq } from "../support/rabbitmq.ts";
import { startRoleWith } from "../support/role_process.ts";
import type { Attempt } from "./probe.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Printed {
  readonly flags: string[];
  readonly permissions: PermissionSet;
}

/** What `tickborg permissions` prints for a role. */
async function permissionsFor(role: RoleName, configPath: string): Promise<Printed> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "main.ts", "permissions", role, "--config", configPath, "--json"],
    cwd: root,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What becomes of attempts under flags. */
async function probe(
  flags: readonly string[],
  attempts: readonly Attempt[],
): Promise<Record<string, string>> {
  const words = attempts.map((attempt) => JSON.stringify(attempt));
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...flags, join(root, "tests/permissions/probe.ts"), ...words],
    env: { NO_COLOR: "1" },
  }).output();
  assert.notEqual(stdout.length, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** What a role must not be able to do. */
function forbidden(role: RoleName, fleet: Fleet): Attempt[] {
  const { github, programs } = roleOf(role);
  const secret = (name: string): Attempt => ({ kind: "read", path: join(fleet.folder, name) });
  const githubPort = Number(new URL(fleet.github.url).port);
  return [
    { kind: "read", path: "/etc/passwd" },
    { kind: "write", path: join(fleet.folder, "config.json") },
    { kind: "write", path: join(fleet.folder, "rabbitmq-password") },
    ...(github ? [] : [
      secret("app.pem"),
      { kind: "net" as const, hostname: "127.0.0.1", port: githubPort },
    ]),
    ...(role === "github-webhook-receiver" ? [] : [secret("webhook-secret")]),
    { kind: "net", hostname: "127.0.0.1", port: 9 },
    { kind: "net", hostname: "example.org", port: 443 },
    { kind: "listen", hostname: "127.0.0.1", port: 0 },
    { kind: "run", program: "id" },
    ...((programs as readonly string[]).includes("git")
      ? []
      : [{ kind: "run" as const, program: "git" }]),
    { kind: "env", variable: "HOME" },
    { kind: "sys" },
    { kind: "ffi" },
    { kind: "import", path: "https://esm.sh/x.ts" },
  ];
}

/** What a role may do, so that a probe that refuses everything does not pass. */
function allowed(role: RoleName, fleet: Fleet): Attempt[] {
  const broker = fleet.config.rabbitmq!.host.split(":");
  const { needs } = roleOf(role);
  const writes = (needs as readonly string[]).includes("checkout")
    ? [{ kind: "write" as const, path: join(fleet.folder, "checkout", "probe") }]
    : [];
  return [
    { kind: "read", path: fleet.configPath },
    { kind: "net", hostname: broker[0]!, port: Number(broker[1]) },
    { kind: "env", variable: "CONFIG_PATH" },
    ...writes,
  ];
}

Deno.test("nine processes do their jobs under their narrowed permissions, and nothing else", {
  ignore: withoutRabbitMq(),
}, async (test) => {
  await using server = await startRabbitMq();
  const system = hostSystem();
  const fleet = await startFleet({
    files: { "a/x": "1\n" },
    projects: [{ name: "a", path: "a", build_system: { Custom: { command: "cat x" } } }],
    vhost: await server.vhost(),
    roles: [],
  });
  const printed = new Map<RoleName, Printed>();
  for (const role of ROLE_NAMES) printed.set(role, await permissionsFor(role, fleet.configPath));
  const processes = ROLE_NAMES.map((role) =>
    startRoleWith({ role, configPath: fleet.configPath, flags: printed.get(role)!.flags })
  );
  try {
    await Promise.all(processes.map((process) => process.ready));

    await test.step("a pull request is evaluated and built, and its log can be read", async () => {
      const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
      const check = await fleet.expectCheck(pull, `a on ${system}`, "success");
      assert.match(await fleet.log(check), /^2$/m);
    });

    await test.step("a comment is understood", async () => {
      const pull = await fleet.openPullRequest({ files: { "a/x": "3\n" }, title: "three" });
      await fleet.expectEvaluation(pull, "success");
      const comment = await fleet.comment(pull, "@tickbot build a");
      await until("the reaction", () => comment.reactions.includes("eyes"));
    });

    await test.step("a push is built", async () => {
      const before = await fleet.monorepo.git("rev-parse", "main");
      const after = await fleet.monorepo.commit("main", { "a/x": "4\n" });
      await fleet.repository.push({ ref: "main", before, after });
      await fleet.github.waitForCheckRun(`a on ${system}`, "success", {
        headSha: after,
        timeoutMs: 60_000,
      });
    });

    await test.step("events are counted", async () => {
      const response = await fetch(`http://127.0.0.1:${fleet.listens.stats}/metrics`);
      assert.match(await response.text(), /^tickborg_job_received.* [1-9]/m);
    });

    await test.step("no role asked for more", () => {
      for (const [index, process] of processes.entries()) {
        assert.doesNotMatch(process.log(), /NotCapable|Requires \w+ access/, ROLE_NAMES[index]);
      }
    });

    for (const role of ROLE_NAMES) {
      await test.step(`${role} is refused all else`, async () => {
        const { flags } = printed.get(role)!;
        const refused = forbidden(role, fleet);
        const permitted = allowed(role, fleet);
        const outcomes = await probe(flags, [...refused, ...permitted]);
        for (const attempt of refused) {
          const word = JSON.stringify(attempt);
          assert.equal(outcomes[word], "NotCapable", word);
        }
        for (const attempt of permitted) {
          const word = JSON.stringify(attempt);
          assert.equal(outcomes[word], "done", word);
        }
      });
    }
  } finally {
    await Promise.all(processes.map((process) => process.kill()));
    await fleet.close();
  }
});

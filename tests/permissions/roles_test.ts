/** Every role does its job under its narrowed permissions, and can do nothing else. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PermissionSet } from "../../services/permissions.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../../services/roles.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { until } from "../../testing/waiting.ts";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { type RoleProcess, startRoleWith } from "../support/role_process.ts";
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

/** What becomes of attempts, as JSON, under flags. */
async function probe(
  flags: readonly string[],
  words: readonly string[],
): Promise<Record<string, string>> {
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

/** What Deno noted of a role's accesses (`DENO_AUDIT_PERMISSIONS`): the kind, a space, the value. */
async function accesses(path: string): Promise<Set<string>> {
  const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
  return new Set(lines.map((line) => {
    const { permission, value } = JSON.parse(line) as { permission: string; value?: string };
    return `${permission} ${value ?? ""}`;
  }));
}

/** Variables that are read only where systemd or the command line leave a reason to. */
const CONDITIONAL = ["env CONFIG_PATH", "env RUNTIME_DIRECTORY"];

/** What a narrowed set allows and the role did not use. */
function unused(set: PermissionSet, used: ReadonlySet<string>): string[] {
  const items = (["read", "write", "net", "env"] as const).flatMap((kind) =>
    (set[kind] as readonly string[]).map((item) => `${kind} ${item}`)
  );
  return items.filter((item) =>
    !CONDITIONAL.includes(item) && !item.includes("/run/") &&
    ![...used].some((access) => access === item || access.startsWith(`${item}/`))
  );
}

/** A pull request, a comment and a push: together they give every role something to do. */
async function keepEveryRoleBusy(fleet: Fleet): Promise<void> {
  const name = `a on ${hostSystem()}`;
  const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" }, title: "two" });
  const check = await fleet.expectCheck(pull, name, "success");
  assert.match(await fleet.log(check), /^2$/m);
  const comment = await fleet.comment(pull, "@tickbot build a");
  await until("the reaction", () => comment.reactions.includes("eyes"));
  const before = await fleet.monorepo.git("rev-parse", "main");
  const after = await fleet.monorepo.commit("main", { "a/x": "4\n" });
  await fleet.repository.push({ ref: "main", before, after });
  await fleet.github.waitForCheckRun(name, "success", { headSha: after });
  const response = await fetch(`http://127.0.0.1:${fleet.listens.stats}/metrics`);
  assert.match(await response.text(), /^tickborg_job_received.* [1-9]/m);
}

/** Runs a test on nine processes, each under the flags it is given. */
async function withNineProcesses(
  vhost: Vhost,
  flagsOf: (role: RoleName, fleet: Fleet) => Promise<readonly string[]>,
  run: (fleet: Fleet) => Promise<void>,
): Promise<void> {
  const fleet = await startFleet({
    files: { "a/x": "1\n" },
    projects: [{ name: "a", path: "a", build_system: { Custom: { command: "cat x" } } }],
    vhost,
    roles: [],
  });
  const processes: RoleProcess[] = [];
  try {
    for (const role of ROLE_NAMES) {
      const flags = await flagsOf(role, fleet);
      const env = { DENO_AUDIT_PERMISSIONS: join(fleet.folder, `${role}.audit`) };
      processes.push(startRoleWith({ role, configPath: fleet.configPath, flags, env }));
    }
    await Promise.all(processes.map((process) => process.ready));
    await run(fleet);
    for (const [index, process] of processes.entries()) {
      assert.doesNotMatch(process.log(), /NotCapable|Requires \w+ access/, ROLE_NAMES[index]);
    }
  } finally {
    await Promise.all(processes.map((process) => process.kill()));
    await fleet.close();
  }
}

Deno.test("roles under their permissions", { ignore: withoutRabbitMq() }, async (test) => {
  await using server = await startRabbitMq();

  await test.step("nine processes do their jobs under the sets of deno.json", async () => {
    const flagsOf = (role: RoleName) => Promise.resolve([`-P=${role}`, "--no-prompt"]);
    await withNineProcesses(await server.vhost(), flagsOf, keepEveryRoleBusy);
  });

  const printed = new Map<RoleName, Printed>();
  const flagsOf = async (role: RoleName, fleet: Fleet) => {
    const permissions = await permissionsFor(role, fleet.configPath);
    printed.set(role, permissions);
    return permissions.flags;
  };
  await withNineProcesses(await server.vhost(), flagsOf, async (fleet) => {
    await test.step("nine processes do their jobs under their narrowed sets", async () => {
      await keepEveryRoleBusy(fleet);
    });

    await test.step("they use all that they are given", async () => {
      for (const role of ROLE_NAMES) {
        const used = await accesses(join(fleet.folder, `${role}.audit`));
        assert.deepEqual(unused(printed.get(role)!.permissions, used), [], role);
      }
    });

    for (const role of ROLE_NAMES) {
      await test.step(`${role} is refused all else`, async () => {
        const refused = forbidden(role, fleet).map((attempt) => JSON.stringify(attempt));
        const permitted = allowed(role, fleet).map((attempt) => JSON.stringify(attempt));
        const outcomes = await probe(printed.get(role)!.flags, [...refused, ...permitted]);
        for (const word of refused) assert.equal(outcomes[word], "NotCapable", word);
        for (const word of permitted) assert.equal(outcomes[word], "done", word);
      });
    }
  });
});

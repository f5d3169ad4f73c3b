/**
 * The roles start and work under what their units say, as far as that can be had without systemd: no
 * writable code, no new privileges, system calls, namespaces and address families as the unit has them, a
 * read-only file system, and the role's narrowed Deno permissions on top.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfig } from "../../lib/config/config.ts";
import { hardening } from "../../deploy/files/hardening.ts";
import {
  narrowedPermissions,
  permissionFlags,
  runtimeDirectory,
} from "../../services/permissions.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../../services/roles.ts";
import { type Fleet, startFleet } from "../../testing/fleet.ts";
import { within } from "../../testing/waiting.ts";
import { compileLauncher, readOnly, restricted, type Restriction } from "../support/hardening.ts";
import { startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { startRoleWith } from "../support/role_process.ts";
import { notificationSocket } from "../support/notification_socket.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What a unit says, as the launcher can apply it. */
interface Applied {
  readonly restrictions: Restriction[];
  readonly systemCalls: string[];
}

function applied(role: RoleName): Applied {
  const directives = hardening(role);
  const values = (key: string) =>
    directives.filter((directive) => directive.key === key).map(({ value }) => value);
  const on = (key: string) => values(key).at(-1) === "true";
  const restrictions: Restriction[] = [];
  if (on("MemoryDenyWriteExecute")) restrictions.push("mdwe");
  if (on("NoNewPrivileges")) restrictions.push("no-new-privs");
  if (values("RestrictAddressFamilies").at(-1) === "AF_INET AF_INET6 AF_UNIX") {
    restrictions.push("families");
  }
  if (on("RestrictNamespaces")) restrictions.push("no-namespaces");
  restrictions.push("syscalls");
  return { restrictions, systemCalls: values("SystemCallFilter") };
}

/** The words before Deno's for a role: its file system, then the launcher. */
async function wrapperFor(role: RoleName, fleet: Fleet): Promise<string[]> {
  const { restrictions, systemCalls } = applied(role);
  const launcher = await compileLauncher(join(fleet.folder, `launch-${role}`), systemCalls);
  const writable = roleOf(role).permissions.write.map((key) =>
    key === "checkout.root" ? fleet.config.checkout!.root : fleet.config.log_api_config!.logs_path
  );
  for (const folder of writable) await Deno.mkdir(folder, { recursive: true });
  return [
    ...readOnly({
      writable,
      visible: [root, fleet.folder],
      wholeProc: role === "builder",
      systemd: {
        folder: join(fleet.folder, "systemd"),
        runtimeDirectory: runtimeDirectory(role),
      },
    }),
    ...restricted(launcher, restrictions),
  ];
}

async function flagsFor(role: RoleName, fleet: Fleet): Promise<string[]> {
  const { configPath } = fleet;
  const config = await loadConfig(configPath);
  const set = narrowedPermissions({ name: role, ...roleOf(role) }, { config, configPath });
  return ["--v8-flags=--jitless", ...permissionFlags(set)];
}

/** Sends SIGTERM to the one process that bubblewrap started; bubblewrap then ends with its exit code. */
async function terminateInside(pid: number): Promise<void> {
  const children = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  Deno.kill(Number(children), "SIGTERM");
}

Deno.test("every role but the builder is hardened in every way", () => {
  for (const role of ROLE_NAMES) {
    const { restrictions } = applied(role);
    const expected = ["mdwe", "no-new-privs", "families", "no-namespaces", "syscalls"];
    if (role !== "builder") assert.deepEqual(restrictions, expected, role);
    else assert.ok(restrictions.includes("no-new-privs"));
  }
});

Deno.test("nine processes carry a pull request under their units' hardening", {
  ignore: Deno.build.os !== "linux" || withoutRabbitMq(),
}, async () => {
  await using server = await startRabbitMq();
  const fleet = await startFleet({
    files: { "a/x": "1\n" },
    projects: [{ name: "a", path: "a", build_system: { Custom: { command: "cat x" } } }],
    vhost: await server.vhost(),
    roles: [],
    configure: (config) => Object.assign(config.builder as object, { sandbox: "bubblewrap" }),
  });
  await Deno.mkdir(join(fleet.folder, "systemd"));
  using systemd = notificationSocket(join(fleet.folder, "systemd", "notify"));
  const processes = await Promise.all(ROLE_NAMES.map(async (role) =>
    startRoleWith({
      role,
      configPath: fleet.configPath,
      flags: await flagsFor(role, fleet),
      wrapper: await wrapperFor(role, fleet),
      env: {
        NOTIFY_SOCKET: "/run/systemd/notify",
        RUNTIME_DIRECTORY: runtimeDirectory(role),
      },
    })
  ));
  try {
    await Promise.all(processes.map((process) => process.ready));
    for (const role of ROLE_NAMES) {
      assert.equal(await within(`${role} to be ready`, systemd.next()), "READY=1");
    }
    const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
    const check = await fleet.expectCheck(pull, `a on ${hostSystem()}`, "success");
    assert.match(await fleet.log(check), /^2$/m);
    for (const [index, process] of processes.entries()) {
      assert.doesNotMatch(
        process.log(),
        /NotCapable|Read-only file system|Operation not permitted/,
        ROLE_NAMES[index],
      );
    }
    await Promise.all(processes.map(({ pid }) => terminateInside(pid)));
    const codes = await Promise.all(processes.map((process) => process.ended));
    assert.deepEqual(codes, ROLE_NAMES.map(() => 0));
  } finally {
    // bubblewrap leaves its child behind when it is killed while it sets up.
    await Promise.allSettled(processes.map((process) => process.ready));
    await Promise.all(processes.map((process) => process.kill()));
    await fleet.close();
  }
});

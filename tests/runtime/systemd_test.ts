import assert from "node:assert/strict";
import { localAddress, openNotifier, pingInterval, watchdog } from "../../lib/runtime/systemd.ts";
import { inFolder } from "../support/in_folder.ts";
import { notificationSocket } from "../support/notification_socket.ts";

function envOf(values: Record<string, string>) {
  return (name: string) => values[name];
}

Deno.test("A role says that it is ready, pings while it lives, and says that it stops", () =>
  inFolder(async (folder) => {
    using systemd = notificationSocket(`${folder}/systemd`);
    const role = watchdog(
      () => true,
      envOf({
        NOTIFY_SOCKET: `${folder}/systemd`,
        RUNTIME_DIRECTORY: folder,
        WATCHDOG_USEC: "20000",
        WATCHDOG_PID: String(Deno.pid),
      }),
    );
    await role.ready();
    assert.equal(await systemd.next(), "READY=1");
    assert.equal(await systemd.next(), "WATCHDOG=1");
    assert.equal(await systemd.next(), "WATCHDOG=1");
    await role.stopping();
    let last = await systemd.next();
    while (last === "WATCHDOG=1") last = await systemd.next();
    assert.equal(last, "STOPPING=1");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["systemd"]);
  }));

Deno.test("A role that waits says for what, asks for time, and takes that back when it is ready", () =>
  inFolder(async (folder) => {
    using systemd = notificationSocket(`${folder}/systemd`);
    const env = { NOTIFY_SOCKET: `${folder}/systemd`, RUNTIME_DIRECTORY: folder };
    const role = watchdog(() => true, envOf(env));
    await role.waiting(`GitHub:\n502 ${"x".repeat(9_000)}`);
    const [extend, status, ...more] = (await systemd.next()).split("\n");
    assert.match(extend!, /^EXTEND_TIMEOUT_USEC=\d{8,}$/);
    assert.match(status!, /^STATUS=Waiting for GitHub: 502 x{400,500}$/);
    assert.deepEqual(more, []);
    await role.ready();
    assert.equal(await systemd.next(), "READY=1\nSTATUS=");
    await role.stopping();
    assert.equal(await systemd.next(), "STOPPING=1");
    await watchdog(() => true, envOf({})).waiting("nothing to tell systemd");
  }));

Deno.test("A role that is not alive does not ping", () =>
  inFolder(async (folder) => {
    using systemd = notificationSocket(`${folder}/systemd`);
    let asked = 0;
    const { promise: askedOften, resolve } = Promise.withResolvers<void>();
    const role = watchdog(
      () => {
        if (++asked === 3) resolve();
        return false;
      },
      envOf({
        NOTIFY_SOCKET: `${folder}/systemd`,
        RUNTIME_DIRECTORY: folder,
        WATCHDOG_USEC: "2000",
      }),
    );
    await role.ready();
    await askedOften;
    await role.stopping();
    assert.equal(await systemd.next(), "READY=1");
    assert.equal(await systemd.next(), "STOPPING=1");
  }));

Deno.test("A socket file that a killed role left does not stop the next one", () =>
  inFolder(async (folder) => {
    using systemd = notificationSocket(`${folder}/systemd`);
    const env = envOf({ NOTIFY_SOCKET: `${folder}/systemd`, RUNTIME_DIRECTORY: folder });
    Deno.listenDatagram({ transport: "unixpacket", path: localAddress(env) }).close();
    const notifier = openNotifier(env)!;
    await notifier.send("STATUS=again");
    notifier.close();
    assert.equal(await systemd.next(), "STATUS=again");
  }));

Deno.test({
  name: "A socket in the abstract namespace is reached too",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const name = crypto.randomUUID();
    using systemd = notificationSocket(`\0${name}`);
    const notifier = openNotifier(envOf({ NOTIFY_SOCKET: `@${name}` }))!;
    await notifier.send("READY=1");
    notifier.close();
    assert.equal(await systemd.next(), "READY=1");
  },
});

Deno.test("Outside systemd nothing is sent", async () => {
  assert.equal(openNotifier(envOf({})), undefined);
  const role = watchdog(() => true, envOf({}));
  await role.ready();
  await role.stopping();
});

Deno.test("A role stops cleanly when systemd is gone, but does not claim to have started", () =>
  inFolder(async (folder) => {
    const env = envOf({ NOTIFY_SOCKET: `${folder}/nobody`, RUNTIME_DIRECTORY: folder });
    const role = watchdog(() => true, env);
    await assert.rejects(role.ready());
    await role.stopping();
  }));

Deno.test("The interval of pings", () => {
  const table: [Record<string, string>, number | undefined][] = [
    [{ WATCHDOG_USEC: "60000000" }, 30_000],
    [{ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "42" }, 30_000],
    [{ WATCHDOG_USEC: "60000000", WATCHDOG_PID: "43" }, undefined],
    [{ WATCHDOG_USEC: "1" }, 1],
    [{ WATCHDOG_USEC: "0" }, undefined],
    [{ WATCHDOG_USEC: "soon" }, undefined],
    [{}, undefined],
  ];
  for (const [env, expected] of table) {
    assert.equal(pingInterval(envOf(env), 42), expected, JSON.stringify(env));
  }
});

/**
 * Tells systemd how a role is doing (`Type=notify`, `WatchdogSec=`): sd_notify(3) datagrams on the socket
 * that `NOTIFY_SOCKET` names. Without that variable, as outside systemd, everything here does nothing.
 */
import { describeError } from "../common/errors.ts";
import { roleLogger } from "./log.ts";

/** Microseconds that a role which waits may take before it says so again. */
const WAIT_USEC = 180_000_000;

/** Reads an environment variable. */
type Env = (name: string) => string | undefined;

/** A connection to systemd's notification socket. */
export interface Notifier {
  /** Sends assignments such as `READY=1`, one a line. Throws when systemd is gone. */
  send(state: string): Promise<void>;
  close(): void;
}

/** What a role tells systemd over its life. */
export interface Watchdog {
  /** Shows what the role waits for before it is ready, and asks for the time to do so. */
  waiting(why: string): Promise<void>;
  /** Says that the role does its work from now on, and starts the pings of the watchdog. */
  ready(): Promise<void>;
  /** Says that the role stops, ends the pings and closes the socket. */
  stopping(): Promise<void>;
}

/**
 * Where a datagram must come from: Deno sends only from a socket that is bound to an address. Under systemd
 * that is a file in the unit's `RuntimeDirectory=`, which its permissions name; else an address that the
 * kernel chooses, which Deno allows only without restrictions.
 */
export function localAddress(env: Env): string {
  const directory = env("RUNTIME_DIRECTORY")?.split(":")[0];
  return directory ? `${directory}/notify` : "";
}

/** The address in `NOTIFY_SOCKET`; `@` stands for the NUL that abstract addresses start with (sd_notify(3)). */
function remoteAddress(name: string): string {
  return name.replace(/^@/, "\0");
}

/**
 * Connects to `NOTIFY_SOCKET`; undefined where that is unset. Throws where Deno was started without
 * `"unstable": ["net"]`, which `deno.json` has, or without the permissions of the role.
 */
export function openNotifier(env: Env = Deno.env.get): Notifier | undefined {
  const target = env("NOTIFY_SOCKET");
  if (!target) return undefined;
  const local = localAddress(env);
  removeStale(local);
  let socket: Deno.DatagramConn;
  try {
    socket = Deno.listenDatagram({ transport: "unixpacket", path: local });
  } catch (error) {
    throw new Error(`Cannot reach systemd at ${target}: ${describeError(error)}`, { cause: error });
  }
  const address = { transport: "unixpacket", path: remoteAddress(target) } as const;
  return {
    async send(state) {
      await socket.send(new TextEncoder().encode(state), address);
    },
    close() {
      socket.close();
      removeStale(local);
    },
  };
}

/** A socket file that an earlier process left stands in the way of a new one. */
function removeStale(path: string): void {
  if (path === "") return;
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Milliseconds between two pings: half of `WATCHDOG_USEC`, as sd_watchdog_enabled(3) advises; undefined
 * where no watchdog is set, or where it is set for another process (`WATCHDOG_PID`).
 */
export function pingInterval(env: Env, pid: number = Deno.pid): number | undefined {
  const owner = env("WATCHDOG_PID");
  if (owner && Number(owner) !== pid) return undefined;
  const microseconds = Number(env("WATCHDOG_USEC"));
  return microseconds > 0 ? Math.max(1, Math.floor(microseconds / 2_000)) : undefined;
}

/**
 * Keeps systemd informed. A ping is sent only while `alive` says so, and none can be sent while the event
 * loop hangs: then systemd restarts the role.
 */
export function watchdog(alive: () => boolean, env: Env = Deno.env.get): Watchdog {
  const notifier = openNotifier(env);
  const interval = pingInterval(env);
  let timer: ReturnType<typeof setInterval> | undefined;
  let waited = false;

  function ping(): void {
    if (!alive()) return;
    notifier!.send("WATCHDOG=1").catch((error) =>
      roleLogger("systemd").warn("Ping could not be sent", { error: describeError(error) })
    );
  }

  return {
    async waiting(why) {
      waited = true;
      const status = `STATUS=Waiting for ${why.replaceAll(/\s+/g, " ").slice(0, 500)}`;
      // A start goes on whether or not systemd listens.
      await notifier?.send(`EXTEND_TIMEOUT_USEC=${WAIT_USEC}\n${status}`).catch(() => {});
    },
    async ready() {
      if (!notifier) return;
      await notifier.send(waited ? "READY=1\nSTATUS=" : "READY=1");
      if (interval !== undefined) timer = setInterval(ping, interval);
    },
    async stopping() {
      clearInterval(timer);
      if (!notifier) return;
      // A role must be able to stop whether or not systemd still listens.
      await notifier.send("STOPPING=1").catch(() => {});
      notifier.close();
    },
  };
}

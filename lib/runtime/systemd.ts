/**
 * Notifies systemd of a role's state (`Type=notify`, `WatchdogSec=`) with sd_notify(3) datagrams to
 * the socket in `NOTIFY_SOCKET`. Without that variable, as outside of systemd, everything here does
 * nothing.
 */
import { describeError } from "../common/errors.ts";
import { roleLogger } from "./log.ts";

/** Microseconds until a waiting role must notify systemd again. */
const WAIT_USEC = 180_000_000;

/** Reads an environment variable. */
type Env = (name: string) => string | undefined;

/** A connection to systemd's notification socket. */
export interface Notifier {
  /** Sends assignments such as `READY=1`, one per line. Throws if systemd is gone. */
  send(state: string): Promise<void>;
  close(): void;
}

/** A role's notifications to systemd. */
export interface Watchdog {
  /** Shows what the start waits for, and extends its timeout. */
  waiting(why: string): Promise<void>;
  /** Reports that the role is ready, and starts the watchdog's pings. */
  ready(): Promise<void>;
  /** Reports that the role stops, ends the pings and closes the socket. */
  stopping(): Promise<void>;
}

/**
 * The sender's address: Deno can send only from a bound socket. Under systemd it is a file in the
 * unit's `RuntimeDirectory=`, which the role's permissions include; else the kernel chooses one,
 * which Deno allows only without restrictions.
 */
export function localAddress(env: Env): string {
  const directory = env("RUNTIME_DIRECTORY")?.split(":")[0];
  return directory ? `${directory}/notify` : "";
}

/** The address in `NOTIFY_SOCKET`; `@` means the initial NUL of an abstract address (sd_notify(3)). */
function remoteAddress(name: string): string {
  return name.replace(/^@/, "\0");
}

/**
 * Connects to `NOTIFY_SOCKET`; undefined if that is unset. Throws if Deno lacks `"unstable":
 * ["net"]`, which `deno.json` has, or the permissions of the role.
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

/** Removes the socket file of an earlier process. */
function removeStale(path: string): void {
  if (path === "") return;
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * Milliseconds between two pings: half of `WATCHDOG_USEC`, as sd_watchdog_enabled(3) advises;
 * undefined without a watchdog, or if it is for another process (`WATCHDOG_PID`).
 */
export function pingInterval(env: Env, pid: number = Deno.pid): number | undefined {
  const owner = env("WATCHDOG_PID");
  if (owner && Number(owner) !== pid) return undefined;
  const microseconds = Number(env("WATCHDOG_USEC"));
  return microseconds > 0 ? Math.max(1, Math.floor(microseconds / 2_000)) : undefined;
}

/**
 * Notifies systemd. Pings stop if `alive` returns false or the event loop hangs, and systemd then
 * restarts the role.
 */
export function watchdog(alive: () => boolean, env: Env = Deno.env.get): Watchdog {
  const notifier = openNotifier(env);
  const interval = pingInterval(env);
  let timer: ReturnType<typeof setInterval> | undefined;
  let waited = false;

  function ping(): void {
    if (!alive()) return;
    notifier!.send("WATCHDOG=1").catch((error) =>
      roleLogger("systemd").warn("Could not send watchdog ping", { error: describeError(error) })
    );
  }

  return {
    async waiting(why) {
      waited = true;
      const status = `STATUS=Waiting for ${why.replaceAll(/\s+/g, " ").slice(0, 500)}`;
      // A role must start even if systemd does not listen.
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
      // A role must stop even if systemd no longer listens.
      await notifier.send("STOPPING=1").catch(() => {});
      notifier.close();
    },
  };
}

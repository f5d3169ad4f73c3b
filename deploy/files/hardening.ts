/**
 * What systemd denies a role: the document's list (`docs/deployment.md`, "What the units promise") and
 * what else a role does not need. `systemd-analyze security` rates the result, and a test holds it there;
 * another boots a systemd and runs programs in these units.
 */
import type { RoleName } from "../../services/roles.ts";
import { startsSandboxes } from "./layout.ts";

/** The document's list, in its order. V8 starts under MemoryDenyWriteExecute because roles run `--jitless`. */
const DOCUMENTED: readonly Directive[] = [
  { key: "NoNewPrivileges", value: "true" },
  { key: "ProtectSystem", value: "strict" },
  { key: "ProtectHome", value: "true" },
  { key: "PrivateTmp", value: "true" },
  { key: "PrivateDevices", value: "true" },
  { key: "ProtectKernelTunables", value: "true" },
  { key: "ProtectKernelModules", value: "true" },
  { key: "ProtectKernelLogs", value: "true" },
  { key: "ProtectControlGroups", value: "true" },
  { key: "RestrictNamespaces", value: "true" },
  { key: "LockPersonality", value: "true" },
  { key: "MemoryDenyWriteExecute", value: "true" },
  { key: "RestrictRealtime", value: "true" },
  { key: "SystemCallFilter", value: "@system-service" },
  { key: "SystemCallFilter", value: "~@mount" },
];

const FURTHER: readonly Directive[] = [
  { key: "SystemCallFilter", value: "~@privileged @resources" },
  { key: "SystemCallErrorNumber", value: "EPERM" },
  { key: "SystemCallArchitectures", value: "native" },
  { key: "CapabilityBoundingSet", value: "" },
  { key: "AmbientCapabilities", value: "" },
  { key: "RestrictAddressFamilies", value: "AF_INET AF_INET6 AF_UNIX" },
  { key: "RestrictSUIDSGID", value: "true" },
  { key: "ProtectClock", value: "true" },
  { key: "ProtectHostname", value: "true" },
  { key: "ProtectProc", value: "invisible" },
  { key: "ProcSubset", value: "pid" },
  { key: "PrivateUsers", value: "true" },
  { key: "PrivateMounts", value: "true" },
  { key: "PrivateIPC", value: "true" },
  { key: "DevicePolicy", value: "closed" },
  { key: "RemoveIPC", value: "true" },
  { key: "KeyringMode", value: "private" },
];

/** Why bubblewrap needs more than the other roles; see {@link EXCEPTIONS}. */
const FRESH_PROC =
  "bubblewrap mounts a fresh /proc, which Linux refuses where anything covers a part of the old one; " +
  "the user without privileges that the builder runs as can change nothing there anyway";

/** What is different for a role that starts sandboxes. */
const EXCEPTIONS: Readonly<Record<string, Directive>> = {
  ProtectKernelTunables: { key: "ProtectKernelTunables", value: "false", why: FRESH_PROC },
  ProtectKernelLogs: { key: "ProtectKernelLogs", value: "false", why: "As above" },
  ProtectHostname: { key: "ProtectHostname", value: "false", why: "As above" },
  ProcSubset: {
    key: "ProcSubset",
    value: "all",
    why: "bubblewrap reads /proc/sys/kernel/overflowuid",
  },
  RestrictNamespaces: {
    key: "RestrictNamespaces",
    value: "cgroup ipc mnt net pid user uts",
    why: "A sandbox is made of namespaces; only that of the clock stays out of reach",
  },
  "SystemCallFilter ~@mount": {
    key: "SystemCallFilter",
    value: "~@privileged @resources",
  },
  "SystemCallFilter ~@privileged @resources": {
    key: "SystemCallFilter",
    value: "@mount @chown capset sethostname",
    why:
      "bubblewrap mounts what a build may see and drops what it may do, in namespaces of its own",
  },
  RestrictAddressFamilies: {
    key: "RestrictAddressFamilies",
    value: "AF_INET AF_INET6 AF_UNIX AF_NETLINK",
    why: "bubblewrap brings up the loopback device of a sandbox without network",
  },
};

/** The directives of a role. */
export function hardening(name: RoleName): Directive[] {
  const all = [...DOCUMENTED, ...FURTHER];
  return startsSandboxes(name) ? all.map(excepted) : all;
}

function excepted(directive: Directive): Directive {
  const { key, value } = directive;
  const name = key === "SystemCallFilter" ? `${key} ${value}` : key;
  return EXCEPTIONS[name] ?? directive;
}

/** One assignment; several of one key are allowed, as systemd allows them. `why` becomes a comment. */
export interface Directive {
  readonly key: string;
  readonly value: string;
  readonly why?: string;
}

/** Shorthand for directives that need no reason. */
export function directives(pairs: Readonly<Record<string, string>>): Directive[] {
  return Object.entries(pairs).map(([key, value]) => ({ key, value }));
}

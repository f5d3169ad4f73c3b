/** Plain systemd units for every role, made from the role table; `deploy/systemd/` holds what this gives. */
import { ROLE_NAMES, type RoleName } from "../../services/roles.ts";
import { credentialsOf, hasCheckouts, hasLogStore, LAYOUT, startsSandboxes } from "./layout.ts";
import { type Directive, directives, hardening } from "./hardening.ts";

/** A unit: its sections in order. */
export type Unit = readonly {
  readonly section: string;
  readonly directives: readonly Directive[];
}[];

/** A role's unit is called like the role, with the prefix that `systemctl list-units 'tickborg-*'` finds. */
export function unitName(name: RoleName): string {
  return `tickborg-${name}.service`;
}

/** The unit of a role. */
export function unitOf(name: RoleName): Unit {
  return [
    {
      section: "Unit",
      directives: directives({
        Description: `tickborg ${name}`,
        After: "network-online.target rabbitmq.service rabbitmq-server.service",
        Wants: "network-online.target",
        PartOf: "tickborg.target",
        // Restarts every ten seconds for as long as it takes.
        StartLimitIntervalSec: "0",
      }),
    },
    { section: "Service", directives: [...service(name), ...hardening(name)] },
    {
      section: "Install",
      directives: directives({ WantedBy: "multi-user.target tickborg.target" }),
    },
  ];
}

function service(name: RoleName): Directive[] {
  return [
    ...directives({
      Type: "notify",
      NotifyAccess: "main",
      ExecStart: `${LAYOUT.prefix}/bin/${name}`,
    }),
    { key: "Environment", value: `CONFIG_PATH=${LAYOUT.config}` },
    { key: "Environment", value: "RUST_LOG=info" },
    { key: "Environment", value: "RUST_LOG_JSON=1" },
    {
      key: "EnvironmentFile",
      value: "-/etc/tickborg/environment",
      why: "A place to set TICKBORG_LOG without editing this file",
    },
    ...directives({
      Restart: "always",
      RestartSec: "10s",
      WatchdogSec: "60s",
      TimeoutStartSec: "120s",
      TimeoutStopSec: startsSandboxes(name) ? "15min" : "60s",
      KillMode: "mixed",
    }),
    ...(startsSandboxes(name)
      ? [{
        key: "OOMPolicy",
        value: "continue",
        why: "A compiler that ran out of memory ends its build, not the builder",
      }]
      : []),
    { key: "DynamicUser", value: "true" },
    ...credentialsOf(name).map(({ name, source }) => ({
      key: "LoadCredential",
      value: `${name}:${LAYOUT.credentials}/${source}`,
    })),
    ...folders(name),
  ];
}

function folders(name: RoleName): Directive[] {
  const unit = `tickborg-${name}`;
  return [
    ...directives({ RuntimeDirectory: unit, StateDirectory: unit }),
    ...(hasCheckouts(name)
      ? [{ key: "CacheDirectory", value: unit }, {
        key: "BindPaths",
        value: `/var/cache/private/${unit}:${LAYOUT.checkouts}`,
        why: "Each role has clones of its own where the common configuration says",
      }]
      : []),
    ...(hasLogStore(name)
      ? [{ key: "LogsDirectory", value: "tickborg" }, {
        key: "LogsDirectoryMode",
        value: "0750",
      }]
      : []),
    { key: "UMask", value: "0077" },
  ];
}

/** The target that starts and stops all roles together. */
function targetUnit(): Unit {
  return [
    {
      section: "Unit",
      directives: directives({ Description: "tickborg: every role enabled on this machine" }),
    },
    { section: "Install", directives: directives({ WantedBy: "multi-user.target" }) },
  ];
}

/** A unit as the text of its file. */
function renderUnit(unit: Unit): string {
  const sections = unit.map(({ section, directives }) =>
    [
      `[${section}]`,
      ...directives.flatMap(({ key, value, why }) => [
        ...(why === undefined ? [] : [`# ${why}`]),
        `${key}=${value}`,
      ]),
    ].join("\n")
  );
  return "# Generated from services/roles.ts: `deno task deploy-files` writes it anew\n" +
    `${sections.join("\n\n")}\n`;
}

/** Every file of `deploy/systemd/`, by its name. */
export function systemdFiles(): Map<string, string> {
  return new Map([
    ["tickborg.target", renderUnit(targetUnit())],
    ...ROLE_NAMES.map((name): [string, string] => [unitName(name), renderUnit(unitOf(name))]),
  ]);
}

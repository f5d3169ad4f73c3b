import assert from "node:assert/strict";
import { unitOf } from "../../deploy/files/units.ts";
import { ROLE_NAMES, type RoleName } from "../../services/roles.ts";
import { evaluate, PACKAGE } from "./nix.ts";
import { exposure, verifyUnits } from "./systemd.ts";
import { without } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const ignore = without("nix-instantiate");

/** A unit as service.nix gives it. */
interface NixUnit {
  readonly description: string;
  readonly after: string[];
  readonly wants: string[];
  readonly partOf: string[];
  readonly wantedBy: string[];
  readonly path: string[];
  readonly environment: Record<string, string>;
  readonly unitConfig: Record<string, number>;
  readonly serviceConfig: Record<string, string | boolean | string[]>;
}

interface Units {
  readonly services: Record<string, NixUnit>;
  readonly targets: Record<string, unknown>;
}

async function unitsFor(settings: Record<string, unknown>): Promise<Units> {
  const { code, stdout, stderr } = await evaluate("units.nix", {
    settings: JSON.stringify(settings),
  });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

function settings(roles: readonly string[], further: Record<string, unknown> = {}) {
  return {
    enable: true,
    configFile: "/etc/tickborg/config.json",
    services: Object.fromEntries(roles.map((name) => [name, true])),
    ...further,
  };
}

/** The lines of a `[Service]` section as NixOS writes them: one line for each item of a list. */
function serviceLines(unit: NixUnit): string[] {
  return Object.entries(unit.serviceConfig).flatMap(([key, value]) =>
    [value].flat().map((item) => `${key}=${item}`)
  );
}

/** The lines that deploy/systemd/ has for a role, with NixOS's paths in them. */
function plainLines(name: RoleName): string[] {
  return unitOf(name).find(({ section }) => section === "Service")!.directives
    .filter(({ key }) => key !== "Environment" && key !== "EnvironmentFile")
    .map(({ key, value }) => `${key}=${value.replace("/opt/tickborg/bin", `${PACKAGE}/bin`)}`);
}

Deno.test({
  name: "service.nix gives every role the unit that deploy/systemd/ has, line by line",
  ignore,
  async fn() {
    const { services, targets } = await unitsFor(settings(ROLE_NAMES));
    assert.deepEqual(Object.keys(services), ROLE_NAMES.map((name) => `tickborg-${name}`).sort());
    assert.deepEqual(Object.keys(targets), ["tickborg"]);
    for (const name of ROLE_NAMES) {
      const unit = services[`tickborg-${name}`]!;
      assert.deepEqual(serviceLines(unit).sort(), plainLines(name).sort(), name);
      assert.equal(unit.description, `tickborg ${name}`);
      assert.deepEqual(unit.wantedBy, ["multi-user.target", "tickborg.target"]);
      assert.deepEqual(unit.partOf, ["tickborg.target"]);
      assert.deepEqual(unit.after, ["network-online.target", "rabbitmq.service"]);
      assert.deepEqual(unit.wants, ["network-online.target"]);
      assert.deepEqual(unit.unitConfig, { StartLimitIntervalSec: 0 });
      assert.deepEqual(unit.environment, {
        CONFIG_PATH: "/etc/tickborg/config.json",
        RUST_LOG: "info",
        RUST_LOG_JSON: "1",
      });
    }
  },
});

/** `docs/deployment.md`, "What the units promise". */
const DOCUMENTED = [
  "NoNewPrivileges=true",
  "ProtectSystem=strict",
  "ProtectHome=true",
  "PrivateTmp=true",
  "PrivateDevices=true",
  "ProtectKernelTunables=true",
  "ProtectKernelModules=true",
  "ProtectKernelLogs=true",
  "ProtectControlGroups=true",
  "RestrictNamespaces=true",
  "LockPersonality=true",
  "MemoryDenyWriteExecute=true",
  "RestrictRealtime=true",
  "SystemCallFilter=@system-service",
  "SystemCallFilter=~@mount",
];

/** What a builder cannot have, because it starts sandboxes; service.nix says why beside each. */
const NOT_FOR_BUILDERS = [
  "ProtectKernelTunables=true",
  "ProtectKernelLogs=true",
  "RestrictNamespaces=true",
  "SystemCallFilter=~@mount",
];

Deno.test({
  name: "every role has every hardening line of the deployment document; the builder lacks four",
  ignore,
  async fn() {
    const { services } = await unitsFor(settings(ROLE_NAMES));
    for (const name of ROLE_NAMES) {
      const lines = serviceLines(services[`tickborg-${name}`]!);
      const missing = DOCUMENTED.filter((line) => !lines.includes(line));
      assert.deepEqual(missing, name === "builder" ? NOT_FOR_BUILDERS : [], name);
      assert.ok(lines.includes("Restart=always") && lines.includes("RestartSec=10s"), name);
    }
  },
});

Deno.test({
  name: "only enabled roles get a unit, and none where Tickborg is off",
  ignore,
  async fn() {
    const some = await unitsFor(
      settings(["stats", "builder"], { logConfig: "info,tickborg=debug" }),
    );
    assert.deepEqual(Object.keys(some.services), ["tickborg-builder", "tickborg-stats"]);
    assert.equal(some.services["tickborg-stats"]!.environment.RUST_LOG, "info,tickborg=debug");
    assert.deepEqual(await unitsFor(settings(ROLE_NAMES, { enable: false })), {
      services: {},
      targets: {},
    });
  },
});

Deno.test({
  name: "roles find the programs they run, and secrets go only where they are needed",
  ignore,
  async fn() {
    const { services } = await unitsFor(settings(ROLE_NAMES, { credentialsDirectory: "/secrets" }));
    const programs = (name: string) =>
      services[`tickborg-${name}`]!.path.map((path) => path.replace(/^.*-(?=[a-z]+$)/, ""));
    assert.deepEqual(programs("stats"), []);
    assert.deepEqual(programs("mass-rebuilder"), ["git"]);
    assert.deepEqual(programs("builder").slice(0, 3), ["git", "bash", "bubblewrap"]);
    const secrets = (name: string) => services[`tickborg-${name}`]!.serviceConfig.LoadCredential;
    assert.deepEqual(secrets("builder"), ["rabbitmq-password:/secrets/rabbitmq/builder"]);
    assert.deepEqual(secrets("github-webhook-receiver"), [
      "rabbitmq-password:/secrets/rabbitmq/github-webhook-receiver",
      "webhook-secret:/secrets/webhook-secret",
    ]);
    assert.deepEqual(secrets("github-comment-poster"), [
      "rabbitmq-password:/secrets/rabbitmq/github-comment-poster",
      "github-app-key:/secrets/github-app-key",
    ]);
  },
});

Deno.test({
  name: "a switch lets builds compile at run time, and lifts nothing else",
  ignore,
  async fn() {
    const plain = await unitsFor(settings(ROLE_NAMES));
    const jit = await unitsFor(settings(ROLE_NAMES, { builderAllowsJit: true }));
    const difference = ROLE_NAMES.flatMap((name) => {
      const before = serviceLines(plain.services[`tickborg-${name}`]!);
      return serviceLines(jit.services[`tickborg-${name}`]!).filter((line) =>
        !before.includes(line)
      )
        .map((line) => `${name}: ${line}`);
    });
    assert.deepEqual(difference, ["builder: MemoryDenyWriteExecute=false"]);
  },
});

Deno.test({
  name: "a wrong or unknown option is refused when the module is evaluated",
  ignore,
  async fn() {
    const refused: [Record<string, unknown>, RegExp][] = [
      [settings(["no-such-role"]), /services\.tickborg\.services\.no-such-role' does not exist/],
      [settings([], { logConfig: 5 }), /logConfig' is not of type `string'/],
      [settings(["stats"], { configFile: "relative" }), /configFile' is not of type `path'/],
    ];
    for (const [value, message] of refused) {
      const { code, stderr } = await evaluate("units.nix", {
        settings: JSON.stringify({ ...value, services: value.services }),
      });
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
  },
});

/** A unit as NixOS writes it to a file. */
function asFile(unit: NixUnit): string {
  const environment = Object.entries(unit.environment).map(([name, value]) =>
    `Environment="${name}=${value}"`
  );
  return [
    "[Unit]",
    `Description=${unit.description}`,
    `After=${unit.after.join(" ")}`,
    `Wants=${unit.wants.join(" ")}`,
    `PartOf=${unit.partOf.join(" ")}`,
    ...Object.entries(unit.unitConfig).map(([key, value]) => `${key}=${value}`),
    "[Service]",
    ...environment,
    ...serviceLines(unit),
    "",
  ].join("\n");
}

Deno.test({
  name: "systemd finds no fault in the module's units and rates them as low as the plain ones",
  ignore: ignore || without("systemd-analyze"),
  fn: () =>
    inFolder(async (folder) => {
      const { services } = await unitsFor(settings(ROLE_NAMES));
      const units = new Map(
        Object.entries(services).map(([name, unit]) => [`${name}.service`, asFile(unit)]),
      );
      await verifyUnits(units, folder);
      for (const [name, text] of units) {
        const level = await exposure(name, text, folder);
        assert.ok(level <= (name === "tickborg-builder.service" ? 2.5 : 1.5), `${name}: ${level}`);
      }
    }),
});

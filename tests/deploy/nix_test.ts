import assert from "node:assert/strict";
import { leftOut } from "../../lib/deploy/install.ts";
import { productionConfig } from "../../lib/deploy/install.ts";
import { unitOf } from "../../lib/deploy/units.ts";
import { ROLE_NAMES, type RoleName } from "../../services/roles.ts";
import { inFolder, repositoryFile, repositoryPath, run, succeed, without } from "./tools.ts";

const ignore = without("nix-instantiate");
const PACKAGE = "/nix/store/00000000000000000000000000000000-tickborg";

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

/** What Nix's evaluator gives for a file of tests/data/nix, as JSON; it needs a home to work in. */
async function evaluate(file: string, args: Record<string, string> = {}) {
  const home = await Deno.makeTempDir();
  try {
    return await run([
      "nix-instantiate",
      ...["--eval", "--strict", "--json", repositoryPath(`tests/data/nix/${file}`)],
      ...Object.entries(args).flatMap(([name, value]) => ["--argstr", name, value]),
    ], { env: { HOME: home, NIX_STATE_DIR: `${home}/nix`, NIX_LOG_DIR: `${home}/log` } });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
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

/** `deployment-spec.md`, "Per-Service Configuration", "Hardening". */
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

interface Outputs {
  readonly packages: Record<string, Record<string, string>>;
  readonly apps: Record<string, Record<string, string>>;
  readonly shells: Record<string, string[]>;
  readonly modules: string[];
  readonly checks: Record<string, string[]>;
  readonly checkedUnits: string;
  readonly installPhase: string;
  readonly tarballs: string[];
}

async function outputs(): Promise<Outputs> {
  const { code, stdout, stderr } = await evaluate("outputs.nix");
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test({
  name: "the flake has the document's outputs, a program for every role, and checks the module",
  ignore,
  async fn() {
    const flake = await outputs();
    assert.deepEqual(Object.keys(flake.packages["x86_64-linux"]!), ["default", "tickborg"]);
    assert.deepEqual(flake.modules, ["default"]);
    assert.ok(flake.shells["x86_64-linux"]!.some((path) => path.endsWith("-deno")));
    for (const apps of Object.values(flake.apps)) {
      assert.deepEqual(Object.keys(apps).sort(), [...ROLE_NAMES, "default", "tickborg"].sort());
      for (const name of ROLE_NAMES) assert.equal(apps[name], `${PACKAGE}/bin/${name}`);
    }
    assert.deepEqual(flake.checks["x86_64-linux"], ["module", "package"]);
    for (const name of ROLE_NAMES) assert.ok(flake.checkedUnits.includes(`bin/${name}"`), name);
  },
});

Deno.test("the flake leaves out what only tests import, and nothing else", () => {
  const sources = ["services", "lib", "commands"].flatMap((folder) => sourceTexts(folder));
  const manifest = JSON.parse(repositoryFile("deno.json"));
  const kept = Object.keys(
    productionConfig(manifest, [repositoryFile("main.ts"), ...sources]).imports as object,
  );
  const testOnly = /testOnly = \[([^\]]*)\]/.exec(repositoryFile("flake.nix"))![1]!
    .match(/[^\s"]+/g)!;
  assert.deepEqual(Object.keys(manifest.imports).filter((name) => !testOnly.includes(name)), kept);
});

/** The texts of the sources in a folder that are installed. */
function sourceTexts(folder: string): string[] {
  return [...Deno.readDirSync(repositoryPath(folder))].flatMap(({ name, isDirectory }) => {
    if (/^commands\/demo/.test(`${folder}/${name}`)) return [leftOut("demo")];
    if (isDirectory) return sourceTexts(`${folder}/${name}`);
    return name.endsWith(".ts") ? [repositoryFile(`${folder}/${name}`)] : [];
  });
}

Deno.test({
  name: "the flake's build phase, run with the very tarballs it names, gives programs that start",
  ignore: ignore || without("npm", "bash", "tar"),
  fn: () =>
    inFolder(async (folder) => {
      const { installPhase, tarballs } = await outputs();
      const packages = [...installPhase.matchAll(/mkdir -p "\$npm\/([^"]+)\/([^/"]+)"/g)]
        .map(([, name, version]) => `${name}@${version}`);
      assert.equal(packages.length, tarballs.length);
      await Deno.mkdir(`${folder}/fetched`);
      const packed: { filename: string; name: string; version: string; integrity: string }[] = JSON
        .parse(
          await succeed(["npm", "pack", "--json", "--pack-destination", "fetched", ...packages], {
            cwd: folder,
          }),
        );
      const locked = JSON.parse(repositoryFile("deno.lock")).npm;
      let script = installPhase.replaceAll("runHook", "true");
      for (const { filename, name, version, integrity } of packed) {
        const key = Object.keys(locked).find((key) => key.split("_")[0] === `${name}@${version}`)!;
        assert.equal(integrity, locked[key].integrity, key);
        script = script.replace(
          `/fetched/${name.split("/").at(-1)}-${version}.tgz -C "$npm/${name}/`,
          `${folder}/fetched/${filename} -C "$npm/${name}/`,
        );
      }
      // The builder's Deno is not Nix's, and nothing may be fetched.
      script = script.replace(/\S+\/bin\/deno \$out/, `${Deno.execPath()} $out`)
        .replace(/^deno run/m, `${Deno.execPath()} run`);
      await Deno.writeTextFile(`${folder}/phase.sh`, `set -eu\n${script}`);
      await succeed(["bash", `${folder}/phase.sh`], {
        cwd: repositoryPath("."),
        env: {
          out: `${folder}/out`,
          TMPDIR: folder,
          HTTPS_PROXY: "http://127.0.0.1:9",
          https_proxy: "http://127.0.0.1:9",
        },
      });
      const roles = await succeed([`${folder}/out/bin/tickborg`, "roles"]);
      for (const name of ROLE_NAMES) {
        assert.match(roles, new RegExp(name));
        const help = await succeed([`${folder}/out/bin/${name}`, "--help"]);
        assert.match(help, new RegExp(`Usage: tickborg ${name}`));
      }
    }),
});

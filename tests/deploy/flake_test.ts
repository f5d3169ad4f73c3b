import assert from "node:assert/strict";
import { leftOut, productionConfig } from "../../deploy/files/installation.ts";
import { VERSION } from "../../lib/common/version.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { evaluate, PACKAGE } from "./nix.ts";
import { repositoryFile, repositoryPath, succeed, without } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const ignore = without("nix-instantiate");

interface Outputs {
  readonly packages: Record<string, Record<string, string>>;
  readonly apps: Record<string, Record<string, string>>;
  readonly shells: Record<string, string[]>;
  readonly modules: string[];
  readonly checks: Record<string, string[]>;
  readonly checkedUnits: string;
  readonly version: string;
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
    assert.equal(flake.version, VERSION);
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
      const version = await succeed([`${folder}/out/bin/tickborg`, "--version"]);
      assert.equal(version.trim(), `tickborg ${VERSION}`);
      const roles = await succeed([`${folder}/out/bin/tickborg`, "roles"]);
      for (const name of ROLE_NAMES) {
        assert.match(roles, new RegExp(name));
        const help = await succeed([`${folder}/out/bin/${name}`, "--help"]);
        assert.match(help, new RegExp(`Usage: tickborg ${name}`));
      }
    }),
});

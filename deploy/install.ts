/**
 * Installs Tickborg into a folder that needs nothing else at run time, neither Deno nor the network:
 *
 *   deno run -A deploy/install.ts /opt/tickborg
 *
 * Packages come from npm, held to the hashes of `deno.lock`. Where there is no network, they are put into
 * `<folder>/cache/npm` first, as `flake.nix` does.
 */
import {
  checkPrefix,
  launchers,
  LEFT_OUT,
  leftOut,
  productionConfig,
  productionLock,
  SOURCES,
} from "./files/installation.ts";

const root = new URL("..", import.meta.url).pathname;

function copy(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) {
    Deno.copyFileSync(from, to);
    return;
  }
  Deno.mkdirSync(to, { recursive: true });
  for (const { name } of Deno.readDirSync(from)) copy(`${from}/${name}`, `${to}/${name}`);
}

function sourceTexts(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return sourceTexts(path);
    return name.endsWith(".ts") ? [Deno.readTextFileSync(path)] : [];
  });
}

// deno-lint-ignore no-explicit-any -- what is read is a file of this repository
function readJson(path: string): any {
  return JSON.parse(Deno.readTextFileSync(path));
}

function writeJson(path: string, value: unknown): void {
  Deno.writeTextFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

function copySources(target: string): void {
  Deno.mkdirSync(target, { recursive: true });
  for (const name of SOURCES) copy(`${root}${name}`, `${target}/${name}`);
  for (const [file, message] of Object.entries(LEFT_OUT)) {
    Deno.writeTextFileSync(`${target}/commands/${file}`, leftOut(message));
    Deno.removeSync(`${target}/commands/${file.replace(/\.ts$/, "")}`, { recursive: true });
  }
  const config = productionConfig(readJson(`${target}/deno.json`), sourceTexts(target));
  writeJson(`${target}/deno.json`, config);
  const lock = productionLock(readJson(`${target}/deno.lock`), Object.values(config.imports));
  writeJson(`${target}/deno.lock`, lock);
}

/** Fetches what the sources import, and compiles them. */
async function cachePackages(prefix: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(`${prefix}/libexec/deno`, {
    args: ["cache", "--frozen", `${prefix}/lib/main.ts`, `${prefix}/lib/commands/healthcheck.ts`],
    cwd: `${prefix}/lib`,
    env: { DENO_DIR: `${prefix}/cache`, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot fetch the packages: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  const [prefix, ...more] = Deno.args;
  if (prefix === undefined || more.length > 0) {
    console.error("Usage: deno run -A deploy/install.ts <folder>");
    Deno.exit(2);
  }
  checkPrefix(prefix);
  copySources(`${prefix}/lib`);
  for (const folder of ["bin", "libexec"]) {
    Deno.mkdirSync(`${prefix}/${folder}`, { recursive: true });
  }
  Deno.copyFileSync(Deno.execPath(), `${prefix}/libexec/deno`);
  Deno.chmodSync(`${prefix}/libexec/deno`, 0o755);
  await cachePackages(prefix);
  for (const [name, text] of launchers(prefix)) {
    Deno.writeTextFileSync(`${prefix}/bin/${name}`, text);
    Deno.chmodSync(`${prefix}/bin/${name}`, 0o755);
  }
  console.log(`Tickborg is in ${prefix}: ${prefix}/bin/tickborg --help`);
}

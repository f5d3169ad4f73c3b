/**
 * Installs Tickborg into a folder that needs nothing else at run time, neither Deno nor the network:
 *
 *   deno run -A deploy/install.ts /opt/tickborg
 *
 * Packages come from npm, held to the hashes of `deno.lock`. Where a package builder has no network, it
 * puts them into `<folder>/cache/npm` first (`flake.nix` does) and adds `--offline`.
 */
import {
  checkPrefix,
  launchers,
  LEFT_OUT,
  leftOut,
  productionConfig,
  SOURCES,
} from "../lib/deploy/install.ts";

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

function copySources(target: string): void {
  Deno.mkdirSync(target, { recursive: true });
  for (const name of SOURCES) copy(`${root}${name}`, `${target}/${name}`);
  for (const [file, message] of Object.entries(LEFT_OUT)) {
    Deno.writeTextFileSync(`${target}/commands/${file}`, leftOut(message));
    removeFolder(`${target}/commands/${file.replace(/\.ts$/, "")}`);
  }
  const config = JSON.parse(Deno.readTextFileSync(`${target}/deno.json`));
  const production = productionConfig(config, sourceTexts(target));
  Deno.writeTextFileSync(`${target}/deno.json`, `${JSON.stringify(production, null, 2)}\n`);
}

function removeFolder(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Fetches what the sources import and compiles them, and takes out of the lock file what they do not import. */
async function cachePackages(prefix: string, offline: boolean): Promise<void> {
  const { success, stderr } = await new Deno.Command(`${prefix}/libexec/deno`, {
    args: ["cache", ...(offline ? ["--cached-only"] : []), `${prefix}/lib/main.ts`],
    cwd: `${prefix}/lib`,
    env: { DENO_DIR: `${prefix}/cache`, DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot fetch the packages: ${new TextDecoder().decode(stderr)}`);
}

if (import.meta.main) {
  const [prefix, ...flags] = Deno.args;
  if (prefix === undefined || flags.some((flag) => flag !== "--offline")) {
    console.error("Usage: deno run -A deploy/install.ts <folder> [--offline]");
    Deno.exit(2);
  }
  checkPrefix(prefix);
  copySources(`${prefix}/lib`);
  for (const folder of ["bin", "libexec"]) {
    Deno.mkdirSync(`${prefix}/${folder}`, { recursive: true });
  }
  Deno.copyFileSync(Deno.execPath(), `${prefix}/libexec/deno`);
  Deno.chmodSync(`${prefix}/libexec/deno`, 0o755);
  await cachePackages(prefix, flags.includes("--offline"));
  for (const [name, text] of launchers(prefix)) {
    Deno.writeTextFileSync(`${prefix}/bin/${name}`, text);
    Deno.chmodSync(`${prefix}/bin/${name}`, 0o755);
  }
  console.log(`Tickborg is in ${prefix}: ${prefix}/bin/tickborg --help`);
}

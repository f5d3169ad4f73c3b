/** Who may import what, so that each part can be read alone (`CONTRIBUTING.md`). */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** An import: the file it stands in, and the file, from the root, or the package that it names. */
interface Import {
  readonly from: string;
  readonly to: string;
}

function sources(folder: string): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return sources(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. */
const IMPORT = /^(?:import|export|\})[^"\n;]*?(?:from )?"([^"\n]+)";$|\bimport\("([^"\n]+)"\)/gm;

function importsOf(from: string): Import[] {
  const text = Deno.readTextFileSync(join(root, from));
  return [...text.matchAll(IMPORT)].map(([, still, later]) => {
    const name = still ?? later!;
    const to = name.startsWith(".") ? relative(root, join(root, dirname(from), name)) : name;
    return { from, to };
  });
}

const imports = ["lib", "services", "commands"].flatMap(sources).flatMap(importsOf);

function within(folder: string): (path: string) => boolean {
  return (path) => path.startsWith(`${folder}/`);
}

Deno.test("the imports of every file are seen", () => {
  assert.ok(imports.length > 500, `${imports.length}`);
  for (const { from, to } of imports.filter(({ to }) => to.endsWith(".ts"))) {
    assert.ok(Deno.statSync(join(root, to)).isFile, `${from} imports ${to}`);
  }
  assert.ok(
    imports.some(({ from, to }) => from === "services/roles.ts" && to.includes("stats.ts")),
  );
});

Deno.test("lib knows nothing of the roles and commands", () => {
  const outside = imports.filter(({ from, to }) =>
    within("lib")(from) && to.endsWith(".ts") && !within("lib")(to)
  );
  assert.deepEqual(outside, []);
});

Deno.test("services do not import each other: only the table knows them", () => {
  const others = imports.filter(({ from, to }) =>
    within("services")(from) && within("services")(to) &&
    !["services/roles.ts", "services/start.ts"].includes(from)
  );
  assert.deepEqual(others, []);
});

Deno.test("messages need nothing but their decoder", () => {
  const foreign = imports.filter(({ from, to }) =>
    within("lib/messages")(from) && !within("lib/messages")(to) &&
    !["zod", "node:buffer"].includes(to)
  );
  assert.deepEqual(foreign, []);
});

Deno.test("one file imports the AMQP client", () => {
  const files = imports.filter(({ to }) => to.startsWith("rabbitmq-client")).map(({ from }) =>
    from
  );
  assert.equal(new Set(files).size, 1, files.join(", "));
});

Deno.test("production code of commands/ imports the tests' world for the demo alone", () => {
  const files = imports.filter(({ to }) => within("tests")(to)).map(({ from }) => from);
  assert.deepEqual(files.filter((from) => !from.startsWith("commands/demo")), []);
});

/** Who may import what, so that each part can be read alone (`CONTRIBUTING.md`). */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { filesIn, ROOT } from "./support/sources.ts";

/** An import: the file it stands in, and the file, from the ROOT, or the package that it names. */
interface Import {
  readonly from: string;
  readonly to: string;
}

const sources = (folder: string) => filesIn(folder, ".ts");

/** `import … from "x"`, `export … from "x"`, `import "x"` and `import("x")`. */
const IMPORT = /^(?:import|export|\})[^"\n;]*?(?:from )?"([^"\n]+)";$|\bimport\("([^"\n]+)"\)/gm;

function importsOf(from: string): Import[] {
  const text = Deno.readTextFileSync(join(ROOT, from));
  return [...text.matchAll(IMPORT)].map(([, still, later]) => {
    const name = still ?? later!;
    const to = name.startsWith(".") ? relative(ROOT, join(ROOT, dirname(from), name)) : name;
    return { from, to };
  });
}

const shipped = ["main.ts", ...["lib", "services", "commands", "deploy"].flatMap(sources)];
const imports = shipped.flatMap(importsOf);
const helping = sources("testing").flatMap(importsOf);

function within(folder: string): (path: string) => boolean {
  return (path) => path.startsWith(`${folder}/`);
}

Deno.test("the imports of every file are seen", () => {
  assert.ok(imports.length > 500, `${imports.length}`);
  for (const { from, to } of imports.filter(({ to }) => to.endsWith(".ts"))) {
    assert.ok(Deno.statSync(join(ROOT, to)).isFile, `${from} imports ${to}`);
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

Deno.test("nothing imports the tests, and only the demo the fakes", () => {
  const tests = [...imports, ...helping].filter(({ to }) => within("tests")(to));
  assert.deepEqual(tests, []);
  const fakes = imports.filter(({ from, to }) =>
    within("testing")(to) && !from.startsWith("commands/demo")
  );
  assert.deepEqual(fakes, []);
});

/** Groups of nodes that reach each other. */
function circles(edges: readonly (readonly [string, string])[]): string[][] {
  const next = Map.groupBy(edges.filter(([from, to]) => from !== to), ([from]) => from);
  const reached = new Map<string, Set<string>>();
  const reach = (start: string) => {
    const seen = new Set<string>();
    const open = [start];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (const [, to] of next.get(node) ?? []) {
        if (seen.has(to)) continue;
        seen.add(to);
        open.push(to);
      }
    }
    return seen;
  };
  for (const node of next.keys()) reached.set(node, reach(node));
  const inCircle = [...reached].filter(([node, seen]) => seen.has(node)).map(([node]) => node);
  const groups = Map.groupBy(
    inCircle,
    (node) =>
      inCircle.filter((other) => reached.get(node)!.has(other) && reached.get(other)!.has(node))
        .sort().join(" "),
  );
  return [...groups.values()];
}

/** The room of a file: a folder of `lib`, else the folder at the top. */
function roomOf(path: string): string {
  const parts = path.split("/");
  if (parts.length === 1) return path;
  return parts[0] === "lib" ? `lib/${parts[1]}` : parts[0]!;
}

Deno.test("no files and no rooms import each other in a circle", () => {
  assert.deepEqual(circles([["a", "b"], ["b", "c"], ["c", "b"], ["d", "a"]]), [["b", "c"]]);
  const all = [...imports, ...helping].filter(({ to }) => /\.(ts|json)$/.test(to))
    .map(({ from, to }) => [from, to] as const);
  assert.deepEqual(circles(all), []);
  assert.deepEqual(circles(all.map(([from, to]) => [roomOf(from), roomOf(to)] as const)), []);
});

/** The names that a file may take from others, as `file name`: of a whole file, whatever the text says. */
function namesTaken(from: string): string[] {
  const text = Deno.readTextFileSync(join(ROOT, from));
  const words = (names: string) => names.match(/\w+/g) ?? [];
  const named = text.matchAll(/^(?:import|export) ([^;"]*) from "(\.[^"]+)"/gm);
  const whole = text.matchAll(/(?:^import \* as .*|\bimport\()"(\.[^"]+)"/gm);
  return [
    ...[...named].map(([, names, to]) => ({ to: to!, names: words(names!) })),
    ...[...whole].map(([, to]) => ({ to: to!, names: words(text) })),
  ].flatMap(({ to, names }) => {
    const file = relative(ROOT, join(ROOT, dirname(from), to));
    return names.map((name) => `${file} ${name}`);
  });
}

/** What the tables of roles and commands call in each of their files. */
const CALLED_BY_TABLES = ["createService", "run"];

const EXPORT = /^export (?:async |abstract )*(function|const|class|interface|type)\*? (\w+)/;

/** The exports of a file that no other takes, and that are no types of those that are exported. */
function unusedExports(path: string, taken: ReadonlySet<string>): string[] {
  const text = Deno.readTextFileSync(join(ROOT, path));
  const code = text.replaceAll(/^ *(\/\*.*?\*\/|\/\/[^\n]*)/gms, "");
  const exported = code.split(/^(?=\w)/m).flatMap((part) => {
    const [, kind, name] = EXPORT.exec(part) ?? [];
    return kind && name ? [{ isType: !/function|const/.test(kind), name, part }] : [];
  });
  return exported.filter(({ isType, name }) => {
    const named = new RegExp(`\\b${name}\\b`);
    const isOfAnother = exported.some((other) => other.name !== name && named.test(other.part));
    return !taken.has(`${path} ${name}`) && !CALLED_BY_TABLES.includes(name) &&
      !(isType && isOfAnother);
  }).map(({ name }) => `${path} ${name}`);
}

Deno.test("what is exported is imported by another file, or is a type of what is exported", () => {
  const files = [...shipped, ...["testing", "tests"].flatMap(sources)];
  const taken = new Set(files.flatMap(namesTaken));
  assert.deepEqual(shipped.flatMap((path) => unusedExports(path, taken)), []);
});

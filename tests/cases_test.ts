/** That each test case asserts something: one that asserts nothing passes whatever the program does. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** What asserts although it is a method, or stands in `testing/` or in a package. */
const EXPECTS = /^(?:until|within|expect[A-Z]\w*|waitFor(?:[A-Z]\w*)?)$/;

/** Where stories stand in tables, each under a sentence; what registers them is given no function. */
const TABLES = "tests/broker/contract/";

/** A call, or a function with a name. */
interface Place {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A call, and what it is given. */
interface Call extends Place {
  /** The last part of what is called: `step` of `t.step`. */
  readonly last: string;
  readonly argumentTypes: readonly string[];
  /** What it calls or is given by a plain name. */
  readonly plain: readonly string[];
}

/** A file as far as it matters here. */
interface Source {
  readonly path: string;
  readonly text: string;
  readonly calls: Call[];
  readonly functions: Place[];
  /** By name: the file, and the name there. */
  readonly imports: Map<string, readonly [path: string, name: string]>;
}

function parse(path: string, text: string): Source {
  const source: Source = { path, text, calls: [], functions: [], imports: new Map() };
  const cut = ({ range: [start, end] }: { range: readonly [number, number] }) =>
    text.slice(start, end);
  const define = (name: string, { range: [start, end] }: { range: readonly [number, number] }) => {
    source.functions.push({ name, start, end });
  };
  const create = (): Deno.lint.LintVisitor => ({
    ImportSpecifier({ imported, local, parent }) {
      const from = (parent as Deno.lint.ImportDeclaration).source.value;
      if (!from.startsWith(".") || imported.type !== "Identifier") return;
      source.imports.set(local.name, [
        relative(root, join(root, dirname(path), from)),
        imported.name,
      ]);
    },
    FunctionDeclaration(node) {
      if (node.id) define(node.id.name, node);
    },
    MethodDefinition(node) {
      define(cut(node.key), node);
    },
    Property(node) {
      // A case's own function: `Deno.test({ name, fn() {} })`.
      if (/Function/.test(node.value.type) && cut(node.key) !== "fn") define(cut(node.key), node);
    },
    VariableDeclarator(node) {
      if (node.init && /Function/.test(node.init.type)) define(cut(node.id), node);
    },
    CallExpression(node) {
      const [start, end] = node.range;
      source.calls.push({
        ...{ name: cut(node.callee), start, end },
        last: cut(node.callee.type === "MemberExpression" ? node.callee.property : node.callee),
        argumentTypes: node.arguments.map(({ type }) => type),
        plain: [node.callee, ...node.arguments].filter(({ type }) => type === "Identifier")
          .map(cut),
      });
    },
  });
  Deno.lint.runPlugin({ name: "cases", rules: { cases: { create } } }, path, text);
  return source;
}

const inside = (outer: Place) => (it: Place) =>
  it !== outer && it.start >= outer.start && it.end <= outer.end;

/** Looks through all files, and follows names from one to the other. */
class Reader {
  readonly #sources: ReadonlyMap<string, Source>;
  readonly #known = new Map<Place, boolean>();

  constructor(sources: readonly Source[]) {
    this.#sources = new Map(sources.map((it) => [it.path, it]));
  }

  /** The cases that assert nothing, each as its file, its line and how it begins. */
  silent(): string[] {
    const all = [...this.#sources.values()];
    const cases = all.flatMap((source) =>
      source.calls.filter(isCase).map((place: Place) => ({ source, place }))
    );
    // A function that registers a test of what it is given is judged by what it is given.
    const registrars = new Set<string>();
    const silent = cases.filter(({ source, place }) => {
      if (this.#asserts(source, place)) return false;
      const within = source.functions.filter((it) => inside(it)(place))
        .sort((a, b) => b.start - a.start)[0];
      if (within) registrars.add(within.name);
      return !within;
    });
    const others = all.flatMap((source) => {
      const stories = source.path.startsWith(TABLES) ? source.functions.filter(isStory) : [];
      const registered = source.calls.filter((call) => registrars.has(call.name) && isGiven(call));
      return [...stories, ...registered].map((place) => ({ source, place }));
    });
    silent.push(...others.filter(({ source, place }) => !this.#asserts(source, place)));
    return silent.map(({ source: { path, text }, place: { start } }) =>
      `${path}:${text.slice(0, start).split("\n").length}: ${text.slice(start, start + 80)}`
    );
  }

  /** Whether what stands here asserts, other than in a function that it does not call. */
  #asserts(source: Source, place: Place): boolean {
    const known = this.#known.get(place);
    if (known !== undefined) return known;
    // A function that calls itself.
    this.#known.set(place, false);
    const others = source.functions.filter(inside(place));
    const own = source.calls.filter(inside(place))
      .filter((call) => !others.some((it) => inside(it)(call)));
    const itself = "plain" in place ? [place as Call] : [];
    const found = own.some(isAssertion) ||
      [...own, ...itself].some(({ plain }) => plain.some((name) => this.#calls(source, name)));
    this.#known.set(place, found);
    return found;
  }

  /** Whether a function asserts that is called by this name. */
  #calls(source: Source, name: string): boolean {
    const functions = source.functions.filter((it) => it.name === name);
    if (functions.length > 0) return functions.some((it) => this.#asserts(source, it));
    const [path, original] = source.imports.get(name) ?? [];
    const from = path === undefined ? undefined : this.#sources.get(path);
    return from !== undefined && this.#calls(from, original!);
  }
}

/** `Deno.test(…)`, `t.step(…)`. */
function isCase({ name, last, argumentTypes }: Call): boolean {
  return name === "Deno.test" || last === "step" && last !== name && argumentTypes.length === 2;
}

/** `story("what happens", …)`; a function of two parts may have `testContract("embedded", …)`. */
function isGiven({ name, argumentTypes: [first, ...others] }: Call): boolean {
  return /^(?:Literal|TemplateLiteral|ObjectExpression)$/.test(first ?? "") &&
    others.length > 0 && name !== "testContract";
}

/** `"what happens": () => …`. */
function isStory({ name }: Place): boolean {
  return /^".* .*"$/.test(name);
}

/** An assertion about something: `assert.ok(true)` and `assert.fail("…")` are none. */
function isAssertion({ name, last, argumentTypes }: Call): boolean {
  if (EXPECTS.test(last)) return true;
  return /^assert(?:\.\w+)?$/.test(name) && argumentTypes.some((type) => type !== "Literal");
}

function files(folder: string): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return files(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}

Deno.test("every test case asserts something", () => {
  const all = files("tests").map((path) => parse(path, Deno.readTextFileSync(join(root, path))));
  const hint = "Assert what would be wrong if the case failed, set up and clean up in " +
    "Deno.test.beforeAll and afterAll; a new helper that asserts is a function, or is named expect…";
  const silent = new Reader(all).silent();
  assert.deepEqual(silent, [], hint);
});

Deno.test("a case is seen that only looks as if it asserted", () => {
  const text = `import { helper } from "./helper.ts";
    Deno.test("1", () => assert.ok(true));
    Deno.test("2", () => { assert.fail("no"); });
    Deno.test("3", () => { const never = () => assert.equal(run(), 1); run({ hidden() { never(); } }); });
    Deno.test({ name: "4", async fn(t) { await t.step("5", () => helper(1)); } });
    function story(name: string, tell: () => void) { Deno.test(name, () => tell()); }
    story("6", () => { run(); });
    Deno.test("good 1", () => assert.equal(run(), 1));
    Deno.test({ name: "good 2", async fn(t) { await t.step("good", () => { helper(run()); asserts(); }); } });
    Deno.test("good 3", asserts);
    Deno.test("good 4", () => until("the end", ended));
    story("good 5", () => fleet.expectCheck("x"));
    function asserts() { for (const it of run()) assert.ok(it); }
  `;
  const helper =
    "export function helper(it) { throw new Error(it); } function other() { assert.ok(it); }";
  const sources = [parse("tests/a_test.ts", text), parse("tests/helper.ts", helper)];
  const names = new Reader(sources).silent().map((line) => /"(.*?)"/.exec(line)![1]);
  assert.deepEqual(names, ["1", "2", "3", "4", "5", "6"]);
});

Deno.test("tests have one recording broker, and no half of another", () => {
  const allowed = ["tests/support/recording_broker.ts", "tests/cases_test.ts"];
  const halves = files("tests").filter((path) => !allowed.includes(path)).filter((path) =>
    /\bas Broker\b|as unknown as Broker\b|implements Broker\b|satisfies Broker\b|: Broker = \{/
      .test(Deno.readTextFileSync(join(root, path)))
  );
  assert.deepEqual(halves, [], "Use RecordingBroker of tests/support/recording_broker.ts");
});

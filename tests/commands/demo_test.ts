/** `tickborg demo`: the whole of Tickborg on one machine, and nothing of that machine touched. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { renderTables } from "../../commands/demo/markdown_table.ts";
import { play } from "../../commands/demo/play.ts";
import { scenarioFor } from "../../commands/demo/scenario.ts";
import { hostSystem } from "../../lib/messages/systems.ts";
import { startFleet } from "../../testing/fleet.ts";
import { withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { tickborg, tickborgSignalled } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

/** Runs the demo in a folder. */
function demo(cwd: string, args: string[], env: Record<string, string> = {}) {
  return tickborg(["demo", ...args], { cwd, env });
}

interface HandlerResult {
  readonly broker: string;
  readonly ok: boolean;
  readonly checks: { name: string; conclusion: string; text: string[]; log?: string }[];
  readonly labels: string[];
}

/** What must come of the demo on either broker. */
async function assertOutcome(out: string, broker: string): Promise<void> {
  const outcome = JSON.parse(out) as HandlerResult;
  assert.deepEqual([outcome.ok, outcome.broker], [true, broker]);
  assert.deepEqual(outcome.labels.sort(), ["app: greeter", "lib: parser"]);
  const conclusions = new Map(outcome.checks.map(({ name, conclusion }) => [name, conclusion]));
  assert.equal(conclusions.get(`greeter on ${hostSystem()}`), "success");
  assert.equal(conclusions.get(`parser on ${hostSystem()}`), "failure");
  assert.deepEqual([...conclusions.values()].sort(), ["failure", "skipped", "success", "success"]);
  for (const { name, log, text } of outcome.checks) {
    assert.ok(text.length > 0, `${name} says nothing`);
    if (log !== undefined) assert.ok((await Deno.stat(log)).size > 0, log);
    else assert.match(text.join("\n"), /^Not built: the fleet serves none [^`]+$/);
  }
  assert.equal(outcome.checks.filter(({ log }) => log !== undefined).length, 3);
}

Deno.test("the demo comes out as it should on the embedded broker, twice in one place", () =>
  inFolder(async (folder) => {
    const logs = join(folder, "logs");
    const json = await demo(folder, ["--json", "--logs", logs]);
    assert.equal(json.code, 0, json.err);
    await assertOutcome(json.out, "embedded");
    const people = await demo(folder, ["--logs", "logs"]);
    assert.equal(people.code, 0, people.out + people.err);
    assert.equal(people.err, "");
    assert.match(people.out, /Every result is as expected\.\n$/);
    assert.match(people.out, /parser on \S+: failure[^]*parser on \S+ says:\n.*│ [^]*Labels: /);
    assert.match(
      people.out,
      /tray-app on \S+ says:\n +│ Not built: the fleet serves none [^`\n]+$/m,
    );
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["logs"]);
  }));

Deno.test(
  "the demo comes out as it should over RabbitMQ",
  { ignore: withoutRabbitMq() },
  () =>
    inFolder(async (folder) => {
      const { code, out, err } = await demo(folder, ["--broker", "rabbitmq", "--json"]);
      assert.equal(code, 0, err);
      await assertOutcome(out, "rabbitmq");
    }),
);

Deno.test("a check run that nobody expected is no good end", async () => {
  const scenario = scenarioFor(hostSystem(), () => false);
  const expected = new Map([...scenario.expected].filter(([name]) => !name.startsWith("parser")));
  await using fleet = await startFleet({
    ...scenario,
    configure: (config) => Object.assign(config.builder as object, { sandbox: "none" }),
  });
  const told: string[] = [];
  const say = (text: string) => void told.push(text);
  const { signal } = new AbortController();
  const outcome = await play(fleet, { ...scenario, expected }, { logs: "/logs", say, signal });
  assert.equal(outcome.ok, false);
  const parser = outcome.checks.find(({ name }) => name.startsWith("parser"));
  assert.equal(parser?.expected, "none");
  assert.equal(told.at(-1), "Some results are not as expected.");
});

Deno.test("the demo ends with the check run that sums up the others, and its table", async () => {
  const scenario = scenarioFor(hostSystem(), () => false);
  await using fleet = await startFleet({
    ...scenario,
    configure: (config) => Object.assign(config.builder as object, { sandbox: "none" }),
  });
  const told: string[] = [];
  const say = (text: string) => void told.push(text);
  const { signal } = new AbortController();
  const outcome = await play(fleet, scenario, { logs: "/logs", say, signal });
  assert.deepEqual([outcome.ok, outcome.checks.length], [true, scenario.expected.size]);
  assert.equal(outcome.overall.conclusion, "failure");
  assert.match(
    told.at(-2)!,
    /^\ntickborg: failure \(parser on \S+ failed: libs\/parser\/grammar.txt:1: [^\n]+\)\n\n/,
  );
  assert.match(told.at(-2)!, /^ {2}build +state +duration +says\n {2}parser on \S+ +❌ failed /m);
  assert.match(told.at(-2)!, /^ {2}greeter on \S+ +✅ built /m);
});

Deno.test("a table is shown in columns, with what a browser would show of links and code", () => {
  const markdown = [
    "Above `a|b`",
    "",
    "| build | state | says |",
    "|:---|---:|---|",
    "| [`core on x86_64-linux`](https://ci.example.com/?a=1&b=2) | ✅ built | `` a ` b `` |",
    "| `ui` | ❌ failed | `x \\| y` |",
    "| short |",
    "",
    "… and 3 more builds",
  ];
  assert.deepEqual(renderTables(markdown.join("\n")), [
    "Above a|b",
    "",
    "build                 state      says",
    "core on x86_64-linux  ✅ built   a ` b",
    "ui                    ❌ failed  x | y",
    "short",
    "",
    "… and 3 more builds",
  ]);
});

Deno.test("--serve keeps the log pages up until Ctrl-C, and then it is the outcome that counts", {
  ignore: Deno.build.os === "windows",
}, () =>
  inFolder(async (folder) => {
    const pages: string[] = [];
    const { code, left, told } = await signalled(folder, ["--serve"], {
      signal: "SIGINT",
      after: /up until Ctrl-C:\n(?:.*\n){3}/,
      before: async (out) => {
        for (const [, address] of out.split("up until Ctrl-C:\n")[1]!.matchAll(/: (http\S+)$/gm)) {
          const { origin, searchParams } = new URL(address!);
          const page = await (await fetch(address!)).text();
          const path = `${searchParams.get("key")}/${searchParams.get("attempt_id")}`;
          const log = await (await fetch(`${origin}/logfile/${path}`)).text();
          if (page.includes("<html")) pages.push(log);
        }
      },
    });
    assert.deepEqual({ code, left }, { code: 0, left: [] }, told);
    assert.equal(pages.length, 3);
    assert.ok(
      pages.some((log) => /grammar\.txt:1: error: expected 'rule NAME/.test(log)),
      pages.join(),
    );
    assert.match(told, /^ +\d+\.\d s +log page +parser on \S+: http:[^]*parser on \S+: failure/m);
  }));

Deno.test("the demo takes no folder that holds something else, and removes nothing there", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "thesis.tex"), "years of work\n");
    for (const logs of [".", folder, "thesis.tex", "thesis.tex/logs"]) {
      const { code, out, err } = await demo(folder, ["--logs", logs]);
      assert.deepEqual([code, out], [2, ""], logs);
      assert.match(err, /^--logs: [^\n]+; see --help\n$/, logs);
    }
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["thesis.tex"]);
  }));

Deno.test("the demo refuses a broker that there is not in one line", () =>
  inFolder(async (folder) => {
    const { code, out, err } = await demo(folder, ["--broker", "kafka"]);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^--broker: expected embedded or rabbitmq, found "kafka"; see --help\n$/);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  }));

Deno.test("the demo says in one line that git is missing, and leaves nothing", () =>
  inFolder(async (folder) => {
    const temporary = join(folder, "tmp");
    await Deno.mkdir(temporary);
    const env = { PATH: dirname(Deno.execPath()), TMPDIR: temporary };
    const { code, out, err } = await demo(folder, [], env);
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^Cannot run the demo: git is not installed[^\n]*\n$/);
    assert.deepEqual([...Deno.readDirSync(temporary)], []);
  }));

/** Signals a demo whose temporary folders are the test's own; resolves to its exit code and what is left there. */
async function signalled(
  folder: string,
  args: string[],
  how: { signal: Deno.Signal; after: RegExp; before?: (out: string) => Promise<void> },
) {
  const temporary = join(folder, "tmp");
  await Deno.mkdir(temporary);
  // RabbitMQ's user has to find its folder there.
  for (const path of [folder, temporary]) await Deno.chmod(path, 0o711);
  const options = { cwd: folder, env: { TMPDIR: temporary }, ...how };
  const { code, out, err } = await tickborgSignalled(["demo", ...args], options);
  return { code, left: [...Deno.readDirSync(temporary)].map(({ name }) => name), told: out + err };
}

const INTERRUPTIONS: [Deno.Signal, RegExp, number][] = [
  ["SIGINT", /A monorepo with/, 130],
  ["SIGTERM", /A monorepo with/, 143],
  ["SIGTERM", /webhook/, 143],
];

for (const [signal, after, exitCode] of INTERRUPTIONS) {
  Deno.test({
    name: `a demo that ${signal} ends after ${after.source} puts its things away`,
    ignore: Deno.build.os === "windows",
    fn: () =>
      inFolder(async (folder) => {
        const { code, left, told } = await signalled(folder, [], { signal, after });
        assert.deepEqual({ code, left }, { code: exitCode, left: [] }, told);
        assert.doesNotMatch(told, /as expected|\n +at /);
      }),
  });
}

Deno.test("a demo over RabbitMQ that SIGTERM ends leaves no server", {
  ignore: withoutRabbitMq(),
}, () =>
  inFolder(async (folder) => {
    const how = { signal: "SIGTERM", after: /A monorepo with/ } as const;
    const { code, left, told } = await signalled(folder, ["--broker", "rabbitmq"], how);
    assert.deepEqual({ code, left }, { code: 143, left: [] }, told);
  }));

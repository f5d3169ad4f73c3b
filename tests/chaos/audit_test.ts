/** The auditor of chaos runs finds what it is there to find; a run that passes means nothing otherwise. */
import assert from "node:assert/strict";
import type { FakeCheckRun, FakePull, FakeStatus } from "../support/fake_github/mod.ts";
import { AmqpCounter } from "./amqp_counter.ts";
import { audit, auditLog, type Shown } from "./audit.ts";
import { expectedChecks, planWork, type WorkPlan } from "./plan.ts";

const plan: WorkPlan = {
  index: 0,
  kind: "pull request",
  draft: false,
  first: [{ project: "alpha", lines: 3, sleepMs: 0, fails: true }],
};
const work = { plan, commits: ["a".repeat(40)], number: 1, done: true };

function run(name: string, conclusion: string, more: Partial<FakeCheckRun> = {}): FakeCheckRun {
  const history = ["queued", "in_progress", `completed/${conclusion}`];
  return {
    ...{ name, conclusion, status: "completed", history, title: "" },
    ...more,
  } as FakeCheckRun;
}

const RIGHT = [run("alpha on s", "failure"), run("gamma on s", "success")];

function shown(more: Partial<{ runs: FakeCheckRun[]; state: string; labels: string[] }> = {}) {
  const { runs = RIGHT, state = "success", labels = ["lib: alpha"] } = more;
  const status = { context: "tickborg/evaluation", state, description: "" } as FakeStatus;
  const world: Shown = {
    checkRuns: () => runs,
    statuses: () => [status],
    pull: () => ({ labels } as unknown as FakePull),
    comments: () => [],
  };
  return audit(work, world, "s").map(({ kind, what }) => `${kind} ${what}`);
}

Deno.test("a pull request that ended as planned has no problem", () => {
  assert.deepEqual(shown(), []);
});

const WRONG: Record<string, [Parameters<typeof shown>[0], RegExp]> = {
  "a check run that is missing": [{ runs: [RIGHT[0]!] }, /^lost .*no check run gamma on s/],
  "a check run that never ended": [
    { runs: [RIGHT[0]!, run("gamma on s", "", { status: "queued" })] },
    /^lost .*gamma on s is queued/,
  ],
  "a failure shown green": [
    { runs: [run("alpha on s", "success"), RIGHT[1]!] },
    /^wrong .*alpha on s is success and not failure/,
  ],
  "a check run that is there twice": [{ runs: [...RIGHT, RIGHT[1]!] }, /^duplicate .*two check/],
  "a check run nobody asked for": [
    { runs: [...RIGHT, run("beta on s", "success")] },
    /^wrong .*nobody asked for a check run beta on s/,
  ],
  "a check run that was completed twice": [
    {
      runs: [
        run("alpha on s", "failure", { history: ["completed/failure", "completed/failure"] }),
        RIGHT[1]!,
      ],
    },
    /^duplicate .*alpha on s went/,
  ],
  "an evaluation that never ended": [{ state: "pending" }, /^lost .*evaluation is pending/],
  "an evaluation that failed": [{ state: "error" }, /^wrong .*evaluation is error/],
  "a missing label": [{ labels: [] }, /^lost .*labels are/],
};

for (const [name, [change, pattern]] of Object.entries(WRONG)) {
  Deno.test(`the audit finds ${name}`, () => {
    const found = shown(change);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0]!, pattern);
  });
}

Deno.test("the audit of a log finds missing, doubled and disordered lines, and another build's", () => {
  const build = { project: "alpha", lines: 3 };
  const log = (...lines: number[]) => lines.map((line) => `chaos alpha line ${line}`).join("\n");
  const kinds = (text: string) => auditLog(text, build).map(({ kind }) => kind);
  assert.deepEqual(kinds(`$ sh build.sh\n${log(1, 2, 3)}\ndone`), []);
  assert.deepEqual(kinds(log(1, 3)), ["lost"]);
  assert.deepEqual(kinds(""), ["lost"]);
  assert.deepEqual(kinds(log(1, 2, 2, 3)), ["duplicate"]);
  assert.deepEqual(kinds(log(1, 3, 2)), ["wrong"]);
  assert.deepEqual(kinds("chaos beta line 1"), ["wrong"]);
});

Deno.test("a plan follows from its seed alone, and a dependant is built with what it needs", () => {
  for (let index = 0; index < 50; index++) {
    assert.deepEqual(planWork(7, index), planWork(7, index));
  }
  assert.notDeepEqual(planWork(7, 0), planWork(8, 0));
  assert.deepEqual(expectedChecks(plan).map(({ project, conclusion }) => [project, conclusion]), [
    ["alpha", "failure"],
    ["gamma", "success"],
  ]);
});

Deno.test("publishes and deliveries are counted however the bytes are cut", () => {
  const frame = (type: number, payload: number[]) => [
    ...[type, 0, 1],
    ...[0, 0, payload.length >> 8, payload.length & 255],
    ...payload,
    0xce,
  ];
  const body = frame(3, Array(300).fill(60));
  const heartbeat = frame(8, []);
  const publish = [...frame(1, [0, 60, 0, 40, 1, 2, 3]), ...frame(2, [0, 60]), ...body];
  const stream = [..."AMQP\0\0\x09\x01"].map((char) => char.charCodeAt(0))
    .concat(publish, heartbeat, publish);
  for (const size of [1, 3, 7, 64, 4_096]) {
    const counter = new AmqpCounter();
    const tap = counter.connection();
    for (let at = 0; at < stream.length; at += size) {
      tap.fromClient(new Uint8Array(stream.slice(at, at + size)));
    }
    tap.fromServer(new Uint8Array(frame(1, [0, 60, 0, 60, 9])));
    assert.equal(counter.published, 2);
    assert.equal(counter.delivered, 1);
  }
});

/** The auditor of chaos runs finds what it is there to find; a run that passes means nothing otherwise. */
import assert from "node:assert/strict";
import { CONCLUSION_RANK, type Memory, remember } from "../../lib/check_runs/identity.ts";
import { createGitHub } from "../../lib/github/client.ts";
import { parsePrivateKey } from "../../lib/github/from_config.ts";
import type { CheckRunState, GitHub } from "../../lib/github/github.ts";
import { type FakeRepository, startFakeGitHub } from "../../testing/fake_github/mod.ts";
import { AmqpCounter } from "./amqp_counter.ts";
import { audit, auditLog, EVALUATION } from "./audit.ts";
import { expectedChecks, planWork, type WorkPlan } from "./plan.ts";

const plan: WorkPlan = {
  index: 0,
  kind: "pull request",
  draft: false,
  first: [{ project: "alpha", lines: 3, sleepMs: 0, fails: true }],
};
const SHA = "a".repeat(40);

/** A state of a check run: `queued`, `in_progress` or a conclusion. */
function state(name: string, more: Partial<CheckRunState> & { memory?: Memory } = {}) {
  const { memory = { certainty: CONCLUSION_RANK.final }, ...rest } = more;
  const ongoing = name === "queued" || name === "in_progress";
  return {
    ...(ongoing ? { status: name } : { status: "completed", conclusion: name }),
    externalId: "2024-05-01T10:00:00Z/request-1",
    title: name,
    summary: remember(ongoing ? {} : memory),
    ...rest,
  } as CheckRunState;
}

/** A pull request with one project that fails and one that depends on it, as the poster shows it. */
class Scene {
  readonly repository: FakeRepository;
  readonly github: GitHub;
  /** States that the check run of each name goes through. */
  readonly runs: [name: string, states: CheckRunState[]][] = [
    ["alpha on s", ["queued", "in_progress", "failure"].map((name) => state(name))],
    ["gamma on s", ["queued", "in_progress", "success"].map((name) => state(name))],
    ["tickborg", ["queued", "in_progress", "failure"].map((name) => state(name))],
  ];
  evaluation: "pending" | "success" | "error" = "success";
  labels = ["lib: alpha"];

  constructor(repository: FakeRepository, github: GitHub) {
    this.repository = repository;
    this.github = github;
  }

  /** Writes it all to GitHub, and lists what the audit finds. */
  async audit(): Promise<string[]> {
    const { repository, github } = this;
    const { number } = await repository.openPullRequest({ headSha: SHA });
    for (const label of this.labels) await repository.addLabel(number, label);
    const status = { context: EVALUATION, state: this.evaluation, description: "" };
    await github.setStatus(repository, SHA, status);
    for (const [name, [first, ...rest]] of this.runs) {
      const run = await github.createCheckRun(repository, { ...first!, name, headSha: SHA });
      for (const next of rest) await github.updateCheckRun(repository, run.id, next);
    }
    const work = { plan, commits: [SHA], number, done: true };
    return audit(work, repository, "s").map(({ kind, what }) => `${kind} ${what}`);
  }
}

function story(name: string, tell: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    const fake = await startFakeGitHub();
    try {
      const repository = fake.addRepository({ fullName: "a/b", cloneUrl: "http://git.test/" });
      const privateKey = parsePrivateKey(fake.app.privateKey);
      const github = createGitHub({ apiUrl: fake.url, appId: fake.app.id, privateKey });
      await tell(new Scene(repository, github));
    } finally {
      await fake.close();
    }
  });
}

const ANOTHER = { externalId: "2024-05-01T11:00:00Z/request-2" };
const GIVEN_UP = { memory: { certainty: CONCLUSION_RANK.givenUp } };

const RIGHT: Record<string, CheckRunState[]> = {
  "ended as planned": [],
  "was built once more for a comment": [state("in_progress", ANOTHER), state("failure", ANOTHER)],
  "was built for a comment so fast that only the end shows": [state("failure", ANOTHER)],
  "was written with the same bytes after an answer was lost": [state("failure")],
};

for (const [name, more] of Object.entries(RIGHT)) {
  story(`a pull request whose check run ${name} has no problem`, async (scene) => {
    scene.runs[0]![1].push(...more);
    assert.deepEqual(await scene.audit(), []);
  });
}

story("a check run that was given up may end after all", async (scene) => {
  scene.runs[0]![1].splice(2, 1, state("failure", GIVEN_UP), state("failure"));
  scene.runs[1]![1].splice(
    2,
    1,
    state("failure", GIVEN_UP),
    state("in_progress"),
    state("success"),
  );
  assert.deepEqual(await scene.audit(), []);
});

const WRONG: Record<string, [(scene: Scene) => void, RegExp]> = {
  "a check run that is missing": [
    ({ runs }) => runs.splice(1, 1),
    /^lost .*no check run gamma on s/,
  ],
  "an overall check that is missing": [({ runs }) => runs.pop(), /^lost .*no overall check/],
  "an overall check that never ended": [
    ({ runs }) => runs[2]![1].length = 2,
    /^lost .*tickborg is in_progress/,
  ],
  "an overall check that is green over a failed build": [
    ({ runs }) => runs[2]![1].splice(2, 1, state("success")),
    /^wrong .*tickborg is success and not failure/,
  ],
  "an overall check that ends twice alike": [
    ({ runs }) => runs[2]![1].push(state("failure", { summary: "Once more" })),
    /^duplicate .*tickborg went/,
  ],
  "a check run that never ended": [
    ({ runs }) => runs[1]![1].length = 1,
    /^lost .*gamma on s is queued/,
  ],
  "a failure shown green": [
    ({ runs }) => runs[0]![1].splice(2, 1, state("success")),
    /^wrong .*alpha on s is success and not failure/,
  ],
  "a check run that is there twice": [
    ({ runs }) => runs.push(runs[1]!),
    /^duplicate .*two check/,
  ],
  "a check run nobody asked for": [
    ({ runs }) => runs.push(["beta on s", [state("success")]]),
    /^wrong .*nobody asked for a check run beta on s/,
  ],
  "a check run that was completed twice": [
    ({ runs }) => runs[0]![1].push(state("failure", { completedAt: "2024-05-01T10:09:00Z" })),
    /^duplicate .*alpha on s went queued → in_progress → failure → failure/,
  ],
  "a check run that went back": [
    ({ runs }) => runs[0]![1].push(state("in_progress"), state("failure")),
    /^duplicate .*alpha on s went .* failure → in_progress → failure/,
  ],
  "a check run that an older request took back": [
    ({ runs }) => runs[0]![1].push(state("failure", ANOTHER), state("failure")),
    /^wrong .*alpha on s went back to request .*request-1/,
  ],
  "an evaluation that never ended": [
    (scene) => scene.evaluation = "pending",
    /^lost .*evaluation is pending/,
  ],
  "an evaluation that failed": [
    (scene) => scene.evaluation = "error",
    /^wrong .*evaluation is error/,
  ],
  "a missing label": [(scene) => scene.labels = [], /^lost .*labels are/],
};

for (const [name, [change, pattern]] of Object.entries(WRONG)) {
  story(`the audit finds ${name}`, async (scene) => {
    change(scene);
    const found = await scene.audit();
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

import assert from "node:assert/strict";
import fc from "fast-check";
import type { BuildSubject } from "../../lib/check_runs/message.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import {
  givenUpReport,
  logLink,
  queuedReport,
  type Report,
  reproduceCommand,
  resultReport,
  startedReport,
} from "../../lib/report/waiting.ts";
import { code, codeBlock, duration, lastLines, plain } from "../../lib/report/markdown.ts";

const SHA = "1234567890abcdef1234567890abcdef12345678";
const BASE = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";
const ADDRESSES = { handle: "@tickbot", logViewer: "https://ci.example.com/logs/" };
const repo = {
  owner: "Acme",
  name: "mono.repo",
  full_name: "Acme/mono.repo",
  clone_url: "https://github.com/Acme/mono.repo.git",
};
const pr = { target_branch: "main", number: 42, head_sha: SHA };

function subject(fields: Partial<BuildSubject> = {}): BuildSubject {
  return {
    repo,
    pr,
    project: "cmark",
    system: "x86_64-linux",
    test: false,
    baseSha: BASE,
    ...fields,
  };
}

function result(fields: Partial<BuildResult> = {}): BuildResult {
  return {
    ...BuildResult.parse({
      tag: "V1",
      repo,
      pr,
      system: "x86_64-linux",
      output: ["[1/2] cc a.c", "a.c:1: error: no"],
      attempt_id: "a1",
      request_id: "r1",
      status: "Failure",
      attempted_attrs: ["cmark"],
      skipped_attrs: [],
      step: "build",
      command: "cmake --build build --parallel 2",
      duration_seconds: 125,
      base_sha: BASE,
      identity: "builder-1",
    }),
    ...fields,
  };
}

Deno.test("A failed build says what failed, how, against what, and how to see it oneself", () => {
  const report = resultReport(subject(), result(), ADDRESSES);
  assert.deepEqual(report, {
    title: "Failed at build after 2 min 5 s",
    summary: `The command below failed.

- Project: \`cmark\` on \`x86_64-linux\`
- Commit: \`${SHA}\`
- Merged into: \`main\` at \`${BASE}\`
- Last step: \`build\`
- Duration: 2 min 5 s
- Builder: \`builder-1\`

[Full log](https://ci.example.com/logs/?key=acme/mono.repo.42&attempt_id=a1)

To build again, comment \`@tickbot build cmark\`.`,
    text: `### Command

\`\`\`sh
cmake --build build --parallel 2
\`\`\`

### Last lines of the log

\`\`\`text
[1/2] cc a.c
a.c:1: error: no
\`\`\`

### Reproduce on your machine

In a clone of Tickborg, with \`.\` being a clone of the repository:

\`\`\`sh
deno run -A main.ts local --repo . --base ${BASE} --head ${SHA} --build cmark
\`\`\``,
  });
});

const TITLES: [BuildResult["status"], Partial<BuildResult>, string][] = [
  ["Success", {}, "Built in 2 min 5 s"],
  ["Success", { test: true }, "Built and tested in 2 min 5 s"],
  ["Success", { duration_seconds: null }, "Built"],
  ["Failure", { step: "configure", duration_seconds: 3.24 }, "Failed at configure after 3.2 s"],
  ["Failure", { step: null, duration_seconds: null }, "Failed"],
  ["TimedOut", { duration_seconds: 3600 }, "Timed out at build after 1 h"],
  ["HashMismatch", { step: null, duration_seconds: null }, "Failed: hash mismatch"],
  [
    { UnexpectedError: { err: "x" } },
    {},
    "Infrastructure error: the build could not be carried out",
  ],
  ["Skipped", { attempted_attrs: [] }, "Skipped"],
  ["Skipped", { attempted_attrs: null }, "Skipped"],
  ["Skipped", { attempted_attrs: [], skipped_reason: "not built here" }, "Skipped: not built here"],
  ["Skipped", {}, "Cancelled: on request"],
  [
    "Skipped",
    { skipped_reason: "The pull request was closed" },
    "Cancelled: The pull request was closed",
  ],
  ["Skipped", { skipped_reason: "superseded by 12" }, "Cancelled: superseded by 12"],
  ["Skipped", { skipped_reason: "Cancelled: closed" }, "Cancelled: closed"],
  ["Skipped", { skipped_reason: "cancelled" }, "Cancelled: on request"],
];
for (const [status, fields, title] of TITLES) {
  Deno.test(`The title of ${JSON.stringify(status)} is "${title}"`, () => {
    assert.equal(resultReport(subject(), result({ status, ...fields }), ADDRESSES).title, title);
  });
}

Deno.test("An infrastructure error says whose fault it is and how to try again", () => {
  const status = { UnexpectedError: { err: "Cannot fetch: connection refused" } };
  const { summary } = resultReport(subject(), result({ status }), ADDRESSES);
  assert.match(summary, /infrastructure's fault, not necessarily the change's/);
  assert.match(summary, /```\nCannot fetch: connection refused\n```/);
  assert.match(summary, /comment `@tickbot build cmark`/);
});

Deno.test("A queued build tells what comes next, where it stands, and how to change one's mind", () => {
  const report = queuedReport(subject(), { waiting: 4, builders: 2 }, ADDRESSES);
  assert.equal(report.title, "Waiting for a builder on x86_64-linux, about 3 jobs ahead");
  assert.match(report.summary, /merges the change into `main` at `abcdef/);
  assert.match(report.summary, /A newer push cancels this build/);
  assert.match(report.summary, /`@tickbot build cmark`/);
  const first = queuedReport(subject(), { waiting: 1, builders: 2 }, ADDRESSES);
  assert.equal(first.title, "Waiting for a builder on x86_64-linux");
});

Deno.test("A build of a push says so instead of speaking of comments", () => {
  const push = { head_sha: SHA, branch: "main", before_sha: BASE };
  const pushed = subject({ push, pr: { ...pr, number: 0 }, baseSha: undefined });
  for (
    const report of [
      queuedReport(pushed, {}, ADDRESSES),
      startedReport(pushed, { identity: "b", attemptId: "a1" }, ADDRESSES),
      resultReport(pushed, result({ push }), ADDRESSES),
    ]
  ) {
    assert.doesNotMatch(report.summary, /comment|@tickbot/);
    assert.match(report.summary, /push/);
  }
  assert.equal(
    logLink(pushed, "a1", ADDRESSES),
    "https://ci.example.com/logs/?key=acme/mono.repo.push.main&attempt_id=a1",
  );
});

Deno.test("Without a log viewer there is no link, and none to somewhere odd", () => {
  for (const logViewer of [undefined, "", "/logs", "javascript:alert(1)", "https://a b"]) {
    assert.equal(logLink(subject(), "a1", { handle: "@tickbot", logViewer }), undefined);
    const report = resultReport(subject(), result(), { handle: "@tickbot", logViewer });
    assert.doesNotMatch(report.summary, /log\]/);
  }
});

Deno.test("The command to reproduce survives a shell, whatever the names are", () => {
  const odd = subject({ project: "it's; rm -rf ~", baseSha: undefined, test: true });
  assert.equal(
    reproduceCommand(odd),
    `deno run -A main.ts local --repo . --base origin/main --head ${SHA} --test 'it'\\''s; rm -rf ~'`,
  );
});

/** The text of a report outside of code spans and code blocks, as CommonMark reads them. */
function prose({ summary, text }: Report): string {
  const whole = `${summary}\n\n${text ?? ""}`;
  const lines: string[] = [];
  let fence = "";
  for (const line of whole.split("\n")) {
    const run = /^(`{3,})[a-z]*$/.exec(line)?.[1];
    if (fence === "" && run !== undefined) fence = run;
    else if (fence !== "" && /^`{3,}$/.test(line) && line.length >= fence.length) fence = "";
    else if (fence === "") lines.push(line);
  }
  assert.equal(fence, "", `An open code block in\n${whole}`);
  return lines.join("\n").replace(/(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)/g, "");
}

const EVIL = [
  "```\n@everyone <img src=x onerror=alert(1)> [click](https://evil.example)",
  "`@octocat`",
  "``` `` ` @octocat",
  "````\n# @octocat\n````",
  "\r```\r@octocat",
  "~~~\n@octocat",
  "<!-- tickborg:%7B%7D -->",
  "\u202e@octocat\u0000\u001b[31m@octocat",
  " ` @octocat ` ",
  "\u2028```\u2028@octocat",
];

Deno.test("Nothing that comes from a build or a name gets out of its code span or block", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...EVIL), fc.string()), { minLength: 6, maxLength: 12 }),
      ([project, system, reason, command, err, identity, ...output]) => {
        const evil = subject({
          project: project!,
          system: system!,
          pr: { ...pr, target_branch: reason! },
        });
        const fields = { command: command!, identity: identity!, output, step: command! };
        for (
          const report of [
            resultReport(evil, result(fields), ADDRESSES),
            resultReport(
              evil,
              result({ ...fields, status: { UnexpectedError: { err: err! } } }),
              ADDRESSES,
            ),
            resultReport(
              evil,
              result({ ...fields, status: "Skipped", skipped_reason: reason! }),
              ADDRESSES,
            ),
            queuedReport(evil, {}, ADDRESSES),
            queuedReport(evil, { builders: 0 }, ADDRESSES),
            startedReport(evil, { identity: identity!, attemptId: reason! }, ADDRESSES),
            givenUpReport({ name: project!, system: system!, seconds: 9 }, "no-builder", ADDRESSES),
            givenUpReport({ name: project!, system: system!, seconds: 9 }, "no-news", ADDRESSES),
          ]
        ) {
          const outside = prose(report).replace(/\]\(https:\/\/ci\.example\.com\/[^)\s]*\)/g, "]");
          assert.doesNotMatch(outside, /@|<|evil|onerror/, outside);
          assert.doesNotMatch(report.title, /[\r\n\0]/);
          assert.ok(report.title.length < 400);
        }
      },
    ),
    { numRuns: 500 },
  );
});

Deno.test("However much a build prints, the text stays within what GitHub takes", () => {
  const output = Array.from({ length: 5_000 }, (_, index) => `${index} `.repeat(2_000));
  const report = resultReport(
    subject(),
    result({ output, command: "x".repeat(10_000) }),
    ADDRESSES,
  );
  assert.ok(report.text!.length < 60_000);
  assert.match(report.text!, /4999 4999/);
  const err = `${"e".repeat(2_000_000)}\n`.repeat(3);
  const broken = resultReport(
    subject(),
    result({ status: { UnexpectedError: { err } } }),
    ADDRESSES,
  );
  assert.ok(broken.summary.length < 60_000);
});

Deno.test("Small pieces", () => {
  assert.equal(code("a`b"), "``a`b``");
  assert.equal(code("`"), "`` ` ``");
  assert.equal(code(""), "`(empty)`");
  assert.equal(codeBlock("a\n```\nb"), "````\na\n```\nb\n````");
  assert.equal(plain("a\x1b[1;31mb\x1b[0m\tc\n"), "ab c ");
  assert.equal(plain("x".repeat(600)).length, 500);
  assert.equal(lastLines(["a", "b", "c"], { lines: 2 }), "b\nc");
  assert.equal(lastLines(["aaaa", "bbbb"], { total: 6 }), "bbbb");
  assert.deepEqual(
    [0, 0.4, 3, 59.6, 60, 125, 3_600, 3_660, 86_400].map(duration),
    ["0 s", "0.4 s", "3 s", "60 s", "1 min", "2 min 5 s", "1 h", "1 h 1 min", "24 h"].with(
      3,
      "1 min",
    ),
  );
});

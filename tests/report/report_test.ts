import assert from "node:assert/strict";
import { logKey } from "../../lib/messages/build_job.ts";
import type { BuildResult } from "../../lib/messages/build_result.ts";
import { logLink } from "../../lib/report/log_link.ts";
import { reproduceCommand } from "../../lib/report/reproduce.ts";
import { resultReport } from "../../lib/report/result.ts";
import { queuedReport, startedReport } from "../../lib/report/waiting.ts";
import { VERSION } from "../../lib/common/version.ts";
import { ADDRESSES, BASE, pr, result, SHA, subject } from "./samples.ts";

Deno.test("A failed build says what failed, how, against what, and how to see it oneself", () => {
  const report = resultReport(subject(), result(), ADDRESSES);
  assert.deepEqual(report, {
    title: "Failed at build after 2 min 5 s",
    summary: `The step \`build\` failed.

- Project: \`cmark\` on \`x86_64-linux\`
- Commit: \`${SHA}\`
- Merged into: \`main\` at \`${BASE}\`
- Last step: \`build\`
- Duration: 2 min 5 s
- Builder: \`builder-1\`
- Reported by Tickborg ${VERSION}

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

In a clone of the repository or of a fork, next to a clone of Tickborg:

\`\`\`sh
git fetch https://github.com/Acme/mono.repo.git refs/heads/main refs/pull/42/head
npx -y deno@${Deno.version.deno} run -A ../tickborg/main.ts local --base ${BASE} --head ${SHA} --build cmark
\`\`\``,
  });
});

const TITLES: [BuildResult["status"], Partial<BuildResult>, string][] = [
  ["Success", {}, "Built in 2 min 5 s"],
  ["Success", { test: true }, "Built and tested in 2 min 5 s"],
  ["Success", { duration_seconds: null }, "Built"],
  ["Failure", { step: "configure", duration_seconds: 3.24 }, "Failed at configure after 3.2 s"],
  ["Failure", { step: null, duration_seconds: null }, "Failed"],
  [
    "Failure",
    { first_error: { message: "'x' undeclared", file: "lib/blocks.c", line: 1346 } },
    "lib/blocks.c:1346: 'x' undeclared",
  ],
  ["Failure", { first_error: { message: "cannot find -lfoo" } }, "cannot find -lfoo"],
  [
    "Failure",
    { first_error: { message: "no", file: `/${"long/".repeat(50)}a.c`, line: 1 } },
    `…${"long/".repeat(50).slice(-77)}a.c:1: no`,
  ],
  [
    "Failure",
    { reason: "exited with code 2" },
    "Failed at build after 2 min 5 s: exited with code 2",
  ],
  [
    "Failure",
    { command: null, step: null, reason: "Cannot build x: there is no such folder" },
    "Cannot build x: there is no such folder",
  ],
  ["TimedOut", { duration_seconds: 3600 }, "Timed out at build after 1 h"],
  ["HashMismatch", { step: null, duration_seconds: null }, "Failed: hash mismatch"],
  [
    { UnexpectedError: { err: "x" } },
    {},
    "Infrastructure error: x",
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

Deno.test("A failure tells its step, how it ended, and the lines around the first error", () => {
  const context = ["cc -c a.c", "a.c:7: error: no", "  oops"];
  const output = Array.from({ length: 100 }, (_, index) => `[${index}/500] cc`);
  const failed = result({
    reason: "exited with code 2",
    output,
    first_error: { message: "no", file: "a.c", line: 7, context },
  });
  const { summary, text } = resultReport(subject(), failed, ADDRESSES);
  assert.match(summary, /^The step `build` failed: `exited with code 2`\.\n/);
  assert.match(summary, /- Duration: 2 min 5 s\n/);
  assert.match(
    text!,
    /^### First error\n\n```text\ncc -c a\.c\na\.c:7: error: no\n {2}oops\n```\n/,
  );
  assert.match(text!, /### Command\n/);
  assert.match(text!, /### Last lines of the log\n\n```text\n\[0\/500\] cc\n/);
  const short = resultReport(subject(), { ...failed, output: context }, ADDRESSES);
  assert.doesNotMatch(short.text!, /Last lines/);
});

Deno.test("Where no command was run, none is spoken of", () => {
  const reason = "Cannot build cmark: its folder cmark is not in the repository";
  const failed = result({ reason, command: null, step: null, output: [reason] });
  const { summary, text } = resultReport(subject(), failed, ADDRESSES);
  assert.match(summary, /^No command was run: `Cannot build cmark: its folder/);
  assert.doesNotMatch(`${summary}${text}`, /### Command|Last step|[Cc]ommand below/);
});

Deno.test("An infrastructure error says whose fault it is and how to try again", () => {
  const status = { UnexpectedError: { err: "Cannot fetch: connection refused" } };
  const { summary } = resultReport(subject(), result({ status }), ADDRESSES);
  assert.match(summary, /infrastructure failed, which is not necessarily the change's fault/);
  assert.match(summary, /```\nCannot fetch: connection refused\n```/);
  assert.match(summary, /comment `@tickbot build cmark`/);
});

Deno.test("A queued build tells what comes next, where it stands, and how to change one's mind", () => {
  const report = queuedReport(subject(), { waiting: 4, builders: 2 }, ADDRESSES);
  assert.equal(report.title, "Waiting for a builder on x86_64-linux, about 3 jobs ahead");
  assert.match(report.summary, /merges the change into `main` at `abcdef/);
  assert.match(report.summary, /A newer push or closing the pull request cancels this build/);
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
    assert.doesNotMatch(report.summary, /comment|@tickbot|[Mm]erge/);
    assert.match(report.summary, /as pushed to `main`/);
  }
  assert.equal(
    logLink(ADDRESSES.logViewer, logKey(pushed), "a1"),
    "https://ci.example.com/logs/?key=acme/mono.repo.push.main&attempt_id=a1",
  );
});

Deno.test("A push is reproduced as it was pushed, merged into nothing", () => {
  const push = { head_sha: SHA, branch: "it's", before_sha: BASE };
  assert.equal(
    reproduceCommand(subject({ push, pr: { ...pr, number: 0 }, baseSha: undefined })),
    `git fetch https://github.com/Acme/mono.repo.git 'refs/heads/it'\\''s'
npx -y deno@${Deno.version.deno} run -A ../tickborg/main.ts local --base ${SHA} --head ${SHA} --build cmark`,
  );
});

Deno.test("Without a log viewer there is no link, and none to somewhere odd", () => {
  for (const logViewer of [undefined, "", "/logs", "javascript:alert(1)", "https://a b"]) {
    assert.equal(logLink(logViewer, logKey(subject()), "a1"), undefined);
    const report = resultReport(subject(), result(), { handle: "@tickbot", logViewer });
    assert.doesNotMatch(report.summary, /log\]/);
  }
});

Deno.test("The command to reproduce survives a shell, whatever the names are", () => {
  const odd = subject({ project: "it's; rm -rf ~", baseSha: undefined, test: true });
  assert.equal(
    reproduceCommand(odd),
    `git fetch https://github.com/Acme/mono.repo.git refs/heads/main refs/pull/42/head
npx -y deno@${Deno.version.deno} run -A ../tickborg/main.ts local --base FETCH_HEAD --head ${SHA} --test 'it'\\''s; rm -rf ~'`,
  );
});

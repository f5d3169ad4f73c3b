import assert from "node:assert/strict";
import fc from "fast-check";
import { givenUpReport } from "../../lib/report/given_up.ts";
import type { Report } from "../../lib/report/parts.ts";
import { resultReport } from "../../lib/report/result.ts";
import { queuedReport, startedReport } from "../../lib/report/waiting.ts";
import { ADDRESSES, pr, result, subject } from "./samples.ts";

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
        const first_error = { message: err!, file: reason!, line: 3, context: output };
        const fields = { command: command!, identity: identity!, output, step: command!, reason };
        for (
          const report of [
            resultReport(evil, result(fields), ADDRESSES),
            resultReport(evil, result({ ...fields, first_error }), ADDRESSES),
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
            givenUpReport(
              { project: project!, system: system! },
              { reason: "no-builder", seconds: 9 },
              ADDRESSES,
            ),
            givenUpReport(
              { project: project!, system: system! },
              { reason: "no-result", seconds: 9 },
              ADDRESSES,
            ),
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
    result({
      output,
      command: "x".repeat(10_000),
      first_error: { message: "m".repeat(500), context: output.slice(0, 50) },
    }),
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

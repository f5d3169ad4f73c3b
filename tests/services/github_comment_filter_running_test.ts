/** What somebody asks for that the evaluation of the same commit is having built. */
import assert from "node:assert/strict";
import { jobRequestId } from "../../lib/scheduling/build_jobs.ts";
import { answers, evaluated, EVALUATION, harness, say, showRun } from "../support/comments.ts";
import { builds } from "../support/published.ts";

const build = { project: "cmark", system: "x86_64-linux" } as const;
const ours = jobRequestId(EVALUATION, build);

const table: {
  readonly what: string;
  readonly comment?: string;
  readonly status?: "queued" | "in_progress";
  readonly requestId?: string;
  readonly startedAgo?: number;
  readonly built: readonly string[];
}[] = [
  { what: "a build that runs is not made twice", built: [] },
  {
    what: "other projects of the comment are built",
    comment: "@tickbot build cmark Zip",
    built: ["Zip on x86_64-linux"],
  },
  {
    what: "a test is more than the build that runs",
    comment: "@tickbot test cmark",
    built: ["cmark on x86_64-linux +test"],
  },
  {
    what: "a build that is cancelled in the same comment is made anew",
    comment: "@tickbot cancel\n@tickbot build cmark",
    built: ["cmark on x86_64-linux"],
  },
  // It may have been cancelled while it waited: only the builder that takes it from the queue finds out.
  { what: "a build that waits is made", status: "queued", built: ["cmark on x86_64-linux"] },
  { what: "a build that began minutes ago is not made twice", startedAgo: 590, built: [] },
  {
    // Nobody says whether it still runs: its builder may be waiting for git's server, or be gone.
    what: "a build that is said to run for longer is made",
    startedAgo: 610,
    built: ["cmark on x86_64-linux"],
  },
  {
    what: "what the answer says to comment works",
    comment: "@tickbot cancel @tickbot build cmark on x86_64-linux",
    built: ["cmark on x86_64-linux"],
  },
  {
    what: "a build of another request says nothing about this one",
    requestId: jobRequestId("another", build),
    built: ["cmark on x86_64-linux"],
  },
];

for (const { what, comment, status, requestId, startedAgo = 0, built } of table) {
  Deno.test(what, async () => {
    await using at = await harness();
    const pull = await evaluated(at);
    await showRun(at, pull, {
      project: "cmark",
      status: status ?? "in_progress",
      requestId: requestId ?? ours,
      startedAgo,
    });
    const { payload } = await say(at, pull, comment ?? "@tickbot build cmark");
    assert.deepEqual(builds(await at.deliver(payload)), built);
    const told = answers(at, pull);
    assert.equal(told.length, built.some((it) => it.startsWith("cmark")) ? 0 : 1);
    for (const answer of told) {
      assert.match(answer, /`cmark on x86_64-linux` is being built already/);
      assert.match(answer, /\[log\]\(https:\/\/logs\.example\/\?key=cmark\)/);
      assert.match(answer, /comment `@tickbot cancel @tickbot build cmark on x86_64-linux`/);
    }
  });
}

/** The builder's pure decisions: checkout, result, cancellation, what a sandbox shows. */
import assert from "node:assert/strict";
import { type CheckoutFacts, endsEarly } from "../../lib/builder/checkout/checkout.ts";
import { toolchainFolders } from "../../lib/builder/machine.ts";
import { makeResult, type ProjectResult } from "../../lib/builder/result.ts";
import { bubblewrap } from "../../lib/builder/sandbox/sandbox.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { decode, encode } from "../../lib/messages/codec.ts";
import { parallelismFor } from "../../services/builder.ts";
import { HEAD, JOB, OTHER } from "./sample_job.ts";

Deno.test("a job that cannot be built ends early and says what to do", () => {
  const table: [CheckoutFacts, string | undefined, RegExp?][] = [
    [{ pullHead: HEAD, merge: { kind: "clean", tree: OTHER } }, undefined],
    [{}, undefined],
    [{ pullHead: OTHER }, "Skipped", new RegExp(`^superseded by ${OTHER}$`)],
    [{ pushedTip: OTHER }, "Skipped", /superseded/],
    [
      { pullHead: HEAD, merge: { kind: "conflict", paths: ["x", "y"] } },
      "Failure",
      /conflicts in x, y\. Rebase on main/,
    ],
    [{ pullHead: HEAD, tooLarge: true }, "Failure", /too many files/],
    [{ pullHead: HEAD, merge: { kind: "unrelated" } }, "Failure", /no commit in common/],
    [{ missing: "repository" }, "UnexpectedError", /Cannot find repository.*private/],
    [{ missing: "pull request" }, "UnexpectedError", /Cannot find pull request 7/],
    [
      { pullHead: HEAD, missing: "base branch" },
      "UnexpectedError",
      /Change the pull request's base/,
    ],
    [{ missing: "commit" }, "UnexpectedError", /Push again/],
  ];
  for (const [facts, status, reason] of table) {
    const end = endsEarly(JOB, facts);
    const found = typeof end?.status === "object" ? "UnexpectedError" : end?.status;
    assert.equal(found, status, JSON.stringify(facts));
    if (reason) assert.match(end!.reason, reason);
  }
});

Deno.test("the worst of several projects makes the result", () => {
  const table: [ProjectResult["status"][], BuildResult["status"]][] = [
    [["Success", "Success"], "Success"],
    [["Success", "Failure"], "Failure"],
    [["Success", "Unknown"], "Failure"],
    [["Success", "TimedOut"], "TimedOut"],
    [["UnexpectedError", "Failure"], "Failure"],
    [["Success", "UnexpectedError"], { UnexpectedError: { err: "why" } }],
    [["Success", "Left out"], "Success"],
    [["Left out", "Left out"], "Skipped"],
    [["Success", "Cancelled"], "Skipped"],
    [[], "Failure"],
  ];
  for (const [statuses, expected] of table) {
    const outcomes = statuses.map((status, index): ProjectResult => ({
      project: `${index}`,
      status,
      reason: "why",
      output: [status],
    }));
    const result = makeResult(
      { job: JOB, system: "x86_64-linux", identity: "me", attemptId: "1", startedAt: 1_000 },
      { outcomes, logLines: 3, endedAt: 2_500 },
    );
    assert.deepEqual(result.status, expected, statuses.join());
    assert.deepEqual(decode(BuildResult, encode(result)).status, expected);
    assert.equal(result.duration_seconds, 1.5);
    const left = statuses.flatMap((status, index) => status === "Left out" ? [`${index}`] : []);
    assert.deepEqual(result.skipped_attrs, left);
    assert.equal(result.attempted_attrs!.length + left.length, statuses.length);
  }
});

Deno.test("of a toolchain's place only what cannot hold a secret is shown", () => {
  const table: [string, string[]][] = [
    ["/usr/bin", []],
    ["/usr/local/go/bin", []],
    ["/root/.cargo/bin", ["/root/.cargo/bin", "/root/.rustup"]],
    ["/root/.pyenv/shims", ["/root/.pyenv"]],
    ["/home/ada/.nvm/versions/node/v20/bin", ["/home/ada/.nvm"]],
    ["/home/ada/bin", ["/home/ada/bin"]],
    ["/home/ada/.local/bin", ["/home/ada/.local/bin"]],
    ["/opt/cross/gcc-13/bin", ["/opt/cross"]],
    ["/nix/store/abc-cmake/bin", ["/nix/store"]],
    ["/etc/alternatives", []],
    ["/proc/self/cwd/bin", []],
    ["/", []],
    ["/bin", []],
    ["/var/lib/tickborg/bin", ["/var/lib/tickborg/bin"]],
    ["/sw/bin", ["/sw/bin", "/sw/lib", "/sw/lib64", "/sw/libexec", "/sw/share", "/sw/include"]],
  ];
  for (const [folder, expected] of table) {
    assert.deepEqual(toolchainFolders(folder, "/root"), expected, folder);
  }
});

Deno.test("what must stay hidden is covered where a shown folder holds it, before the job's own folders", () => {
  const sandbox = bubblewrap({
    machine: {
      links: new Map([["/bin", "usr/bin"]]),
      folders: [],
      etc: ["alternatives", "shadow", "ssl", "tickborg", "resolv.conf"],
      path: ["/opt/tools/bin", "/usr/bin"],
      programs: [],
      hidden: [
        { path: "/opt/tools/secret", folder: false },
        { path: "/usr/local/tickborg", folder: true },
        { path: "/usr/local/tickborg/jobs", folder: true },
        { path: "/elsewhere", folder: true },
        { path: "/etc/tickborg/config.json", folder: false },
      ],
      home: "/root",
    },
    network: false,
    extraEnv: { EXTRA: "1" },
  });
  const job = {
    root: "/usr/local/tickborg/jobs/1",
    tree: "/usr/local/tickborg/jobs/1/tree",
    build: "/usr/local/tickborg/jobs/1/build",
    home: "/usr/local/tickborg/jobs/1/home",
    tmp: "/usr/local/tickborg/jobs/1/tmp",
    spool: "",
    index: "",
    users: "/u",
    groups: "/g",
    hosts: "/h",
  };
  const { argv, env } = sandbox.wrap({ argv: ["true"], cwd: job.tree, env: {} }, job);
  const line = argv.join(" ");
  assert.match(
    line,
    /--ro-bind-try \/opt\/tools \/opt\/tools .*--ro-bind \/dev\/null \/opt\/tools\/secret/,
  );
  assert.match(
    line,
    /--tmpfs \/usr\/local\/tickborg .*--bind \/usr\/local\/tickborg\/jobs\/1\/tree/,
  );
  assert.match(line, /--remount-ro \/usr\/local\/tickborg --remount-ro \/dev /);
  assert.doesNotMatch(line, /(tmpfs|remount-ro) (\/usr\/local\/tickborg\/jobs|\/elsewhere)/);
  assert.doesNotMatch(line, /\/etc\/(shadow|tickborg|ssl )/);
  assert.match(line, /--unshare-net/);
  assert.match(line, /--setenv EXTRA 1/);
  assert.deepEqual(Object.keys(env), ["PATH"]);
});

Deno.test("all builds together use the processors once", () => {
  assert.deepEqual([parallelismFor(8, 1), parallelismFor(8, 3), parallelismFor(2, 4)], [8, 2, 1]);
});

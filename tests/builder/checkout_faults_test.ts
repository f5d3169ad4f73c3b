/** Checkouts that fail by this machine's fault: a damaged cache, a full disk. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { TransientFault } from "../../lib/common/errors.ts";
import { type BuilderHarness, openBuilderHarness } from "./builder_harness.ts";
import { toolTest } from "./tools.ts";

const PROJECT = { name: "it", path: ".", build_system: { Custom: { command: "cat file" } } };

/** The object of a file in the builder's cache, as git unpacks it. */
async function looseObject(harness: BuilderHarness, revision: string): Promise<string> {
  const sha = await harness.monorepo.git("rev-parse", revision);
  const { fullName } = harness.monorepo;
  const cache = join(harness.jobsRoot, "../repositories", `${fullName.toLowerCase()}.git`);
  return join(cache, "objects", sha.slice(0, 2), sha.slice(2));
}

const DAMAGE: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array> = {
  "cut off": (bytes) => bytes.subarray(0, bytes.length / 2),
  "empty": () => new Uint8Array(),
  "changed": (bytes) => bytes.with(bytes.length - 10, bytes.at(-10)! ^ 0xff),
};

for (const [how, damage] of Object.entries(DAMAGE)) {
  Deno.test(`a cache in which a file is ${how} is made anew, and the job built`, async () => {
    await using harness = await openBuilderHarness({ projects: [PROJECT] });
    const noise = Array.from({ length: 500 }, () => crypto.randomUUID()).join("\n");
    const job = await harness.pullRequest({ file: `${noise}\n` });
    assert.equal((await harness.build(job)).result.status, "Success");
    const path = await looseObject(harness, `${job.pr.head_sha}:file`);
    const bytes = await Deno.readFile(path);
    await Deno.chmod(path, 0o600);
    await Deno.writeFile(path, damage(bytes));
    const again = { ...job, request_id: "again" };
    await assert.rejects(() => harness.build(again), TransientFault);
    assert.equal((await harness.build(again)).result.status, "Success");
  });
}

/** Puts a git in front of the real one that finds the disk full when it writes files. */
async function withFullDisk(said: string, work: () => Promise<void>): Promise<void> {
  const path = Deno.env.get("PATH")!;
  const bin = await Deno.makeTempDir({ prefix: "tickborg-bin-" });
  const script = `#!/bin/sh
case " $* " in *" checkout-index "*) echo '${said}' >&2; exit 128 ;; esac
PATH=${path} exec git "$@"
`;
  await Deno.writeTextFile(join(bin, "git"), script, { mode: 0o755 });
  Deno.env.set("PATH", `${bin}:${path}`);
  try {
    await work();
  } finally {
    Deno.env.set("PATH", path);
    await Deno.remove(bin, { recursive: true });
  }
}

toolTest("a checkout that fills the disk ends in a result that says so", ["git"], async () => {
  await using harness = await openBuilderHarness({ projects: [PROJECT] });
  const job = await harness.pullRequest({ file: "1\n" });
  await withFullDisk("fatal: write error. Out of diskspace", async () => {
    const { result, lines } = await harness.build(job);
    assert.match(JSON.stringify(result.status), /UnexpectedError.*the builder's disk is full/);
    assert.match(lines.at(-1)!, /the builder's disk is full/);
    assert.equal(result.step, "checkout");
  });
  // It was the builder's fault: the same job is built anew.
  assert.equal((await harness.build(job)).result.status, "Success");
});

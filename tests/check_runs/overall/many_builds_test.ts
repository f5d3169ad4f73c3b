/** The check run to require, of pull requests with many builds: it stays within GitHub's limits. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { decodeCheckMessage } from "../../../lib/check_runs/message.ts";
import { recallOverall } from "../../../lib/check_runs/overall/memory.ts";
import { endedMessage } from "../../../lib/evaluation/messages.ts";
import { Checks, core } from "./world.ts";

Deno.test("The table is not written for every build of many, but what begins, ends or fails is", async () => {
  const builds = Array.from({ length: 40 }, (_, at) => ({ ...core, project: `p${at}` }));
  const checks = new Checks();
  await checks.evaluated({ builds });
  const writes = () => checks.world.github.writes.filter((it) => it.includes("tickborg")).length;
  const before = writes();
  for (const build of builds.slice(0, 30)) await checks.built(build, "Success");
  assert.equal(writes(), before);
  await checks.built(builds[30]!, "Failure");
  assert.equal(writes(), before + 1);
  for (const build of builds.slice(31)) await checks.built(build, "Success");
  assert.equal(writes(), before + 2);
  assert.equal(checks.shows(), "failure");
});

Deno.test("A thousand builds are remembered and summed up", async () => {
  const builds = Array.from({ length: 1_000 }, (_, at) => ({ ...core, project: `variant.${at}` }));
  const checks = new Checks();
  await checks.tell({
    kind: "evaluation",
    notice: {
      evaluation: "ended",
      repo: checks.request({}).repo,
      pr: checks.request({}).pr,
      request_id: "e1",
      requested_at: checks.request({}).requestedAt,
      outcome: "build",
      trusted: true,
      builds: builds.map(({ project, system }) => [project, system, false]),
    },
  });
  const { summary, text, title } = checks.run("tickborg")!;
  assert.equal(title, "0 of 1000 builds ended");
  assert.ok(new TextEncoder().encode(summary).length < 65_535);
  assert.ok(new TextEncoder().encode(text).length < 65_535);
  assert.match(text!, /more build/);
});

Deno.test("Builds that are too many to be remembered are told, and the check ends", async () => {
  const names = Array.from({ length: 1_500 }, (_, at) => randomName(at));
  const checks = new Checks();
  checks.open(1);
  const builds = names.map((project) => ({ ...core, project }));
  await checks.tell(decodeCheckMessage(
    endedMessage(checks.request({}), { outcome: "build", description: "1500 builds", builds }).body,
  ));
  const { summary, title } = checks.run("tickborg")!;
  assert.equal(checks.shows(), "failure");
  assert.match(title, /[Tt]oo many/);
  assert.ok(recallOverall(summary));
});

Deno.test("Long notes never cost the check its memory", async () => {
  const checks = new Checks();
  checks.open(1);
  const builds = Array.from({ length: 800 }, (_, at) => ({ ...core, project: randomName(at) }));
  const end = { outcome: "build", description: "", notes: "- `長い`\n".repeat(1_600), builds };
  await checks.tell(decodeCheckMessage(endedMessage(checks.request({}), end).body));
  const { summary } = checks.run("tickborg")!;
  assert.ok(new TextEncoder().encode(summary).length < 65_535);
  assert.equal(recallOverall(summary)?.builds?.length, 800);
});

/** A name that does not compress. */
function randomName(at: number): string {
  return createHash("sha256").update(String(at)).digest("base64url");
}

Deno.test("Many builds are not listed for each of them, and the check ends all the same", async () => {
  const builds = Array.from({ length: 300 }, (_, at) => ({ ...core, project: `v${at}` }));
  const checks = new Checks();
  await checks.evaluated({ builds });
  const before = checks.world.github.listings;
  for (const build of builds) {
    checks.world.clock.now += 100;
    await checks.built(build, "Success");
  }
  const listings = checks.world.github.listings - before;
  assert.ok(listings >= 1 && listings <= 3, `${listings} listings in half a minute`);
  assert.equal(checks.shows(), "in_progress");
  checks.world.clock.now += 20_000;
  const [name, head_sha] = ["tickborg", checks.run("tickborg")!.headSha];
  const { repo } = checks.request({});
  await checks.tell({ kind: "overall", overall: { overall: true, repo, name, head_sha } });
  assert.equal(checks.shows(), "success");
});

/** Whose comment has a project built as the pull request defines it. */
import assert from "node:assert/strict";
import { TransientFault } from "../../lib/common/errors.ts";
import { answers, evaluate, harness, say } from "../support/comments.ts";
import { builds, jobs } from "../support/published.ts";

const FILE = ".tickborg.json";

/** A stranger's pull request that adds a project and changes another, evaluated a minute ago. */
async function opened(at: Awaited<ReturnType<typeof harness>>, author = "stranger") {
  const text = await Deno.readTextFile(`${at.monorepo.workTree}/${FILE}`);
  const list: { name: string }[] = JSON.parse(text).projects ?? JSON.parse(text);
  const changed = list.map((it) => it.name === "Zip" ? { ...it, build_args: ["fast"] } : it);
  const added = { name: "new", path: "cmark", build_system: "Make", systems: ["x86_64-linux"] };
  return await at.open({ [FILE]: JSON.stringify([...changed, added]) }, { author });
}

Deno.test("a trusted person has a new and a changed project built as the pull request defines them", async () => {
  await using at = await harness();
  const pull = await opened(at);
  evaluate(at, pull, -60);
  const text = "@tickbot build new Zip cmark on x86_64-linux";
  const { payload } = await say(at, pull, text, "ada");
  const handled = await at.deliver(payload);
  assert.deepEqual(
    jobs(handled).map(({ job }) => [job.attrs.join(), job.definition]),
    [["new", "merged"], ["Zip", "merged"], ["cmark", undefined]],
  );
  assert.deepEqual(answers(at, pull), []);
});

Deno.test("a stranger has them built as the base defines them, or not at all", async () => {
  await using at = await harness();
  const pull = await opened(at);
  evaluate(at, pull, -60);
  const text = "@tickbot build new Zip on x86_64-linux";
  const { payload } = await say(at, pull, text, "stranger");
  const handled = await at.deliver(payload);
  assert.deepEqual(jobs(handled).map(({ job }) => [job.attrs.join(), job.definition]), [
    ["Zip", undefined],
  ]);
  assert.match(answers(at, pull)[0]!, /no project `new`/);
});

Deno.test("a trusted word opens the definitions of the commit that it was given for alone", async () => {
  await using at = await harness();
  const pull = await opened(at);
  const text = "@tickbot build Zip on x86_64-linux";
  const { payload } = await say(at, pull, text, "ada");
  assert.ok((await at.deliver(payload)).error instanceof TransientFault);
  evaluate(at, pull, 60);
  assert.deepEqual(builds(await at.deliver(payload)), []);
  assert.match(answers(at, pull)[0]!, /was pushed after your comment/);
});

Deno.test("the first list of a repository is good for who is trusted", async () => {
  await using at = await harness({ projects: undefined as never });
  const list = [{ name: "cmark", path: "cmark", build_system: "Make" }];
  const pull = await at.open({ [FILE]: JSON.stringify(list) }, { author: "stranger" });
  evaluate(at, pull, -60);
  const said = async (author: string) => {
    const { payload } = await say(at, pull, "@tickbot build cmark on x86_64-linux", author);
    return jobs(await at.deliver(payload)).map(({ job }) => job.definition);
  };
  assert.deepEqual(await said("stranger"), []);
  assert.match(answers(at, pull)[0]!, /list/);
  assert.deepEqual(await said("ada"), ["merged"]);
});

/** Pushes of which nothing can be built: for now, or at last, and then somebody is told. */
import assert from "node:assert/strict";
import { BuildResult } from "../../lib/messages/build_result.ts";
import * as pushFilter from "../../services/push_filter.ts";
import { type Handled, type RoleHarness, startRoleHarness } from "../support/role_harness.ts";
import { pushPayload } from "../../testing/fake_github/payloads.ts";
import { hideRepository, justBefore, last, triedAgain } from "../support/not_there_yet.ts";
import { builds } from "../support/published.ts";
import { files, projects, trusted } from "./mass_rebuilder_harness.ts";

function pushHarness(more: Record<string, unknown> = {}): Promise<RoleHarness> {
  const config = { github: { systems: ["x86_64-linux", "aarch64-linux"] }, ...trusted, ...more };
  return startRoleHarness(pushFilter, { files, projects, config });
}

/** Results that the poster is given, as `check: what it says`. */
function told({ published }: Pick<Handled, "published">): string[] {
  const results = published.filter(({ exchange }) => exchange === "build-results")
    .map(({ body }) => JSON.parse(new TextDecoder().decode(body)))
    .filter(({ tag }) => tag === "V1").map((result) => BuildResult.parse(result));
  return results.map(({ attempted_attrs, skipped_attrs, system, status, output }) => {
    const kind = typeof status === "string" ? status : Object.keys(status)[0];
    return `${[...attempted_attrs!, ...skipped_attrs!]} on ${system}: ${kind}: ${output}`;
  });
}

Deno.test("a pushed commit that git shows late is built, and told of when it never comes", async () => {
  await using at = await pushHarness();
  const before = await at.monorepo.git("rev-parse", "main");
  const after = "d".repeat(40);
  const push = pushPayload(at.repository, { ref: "refs/heads/main", before, after });
  triedAgain(await at.deliver(push), "the commit");
  triedAgain(await at.deliver(push, justBefore), "the commit");
  const never = await at.deliver(push, last);
  assert.deepEqual(told(never), [
    "push to main on x86_64-linux: UnexpectedError: Cannot build the push: git does not show commit " +
    `${after}. Push again once that is mended`,
  ]);
  assert.deepEqual(told(await at.deliver(push, last)), told(never));

  await hideRepository(at.monorepo);
  triedAgain(await at.deliver(push, justBefore), "the repository");
  assert.match(`${told(await at.deliver(push, last))}`, /git does not show repository http/);
});

Deno.test("the default branch that a new branch is compared with may come late too", async () => {
  await using at = await pushHarness();
  const after = await at.monorepo.commit("other", { "docs/a.md": "b\n" });
  await at.monorepo.git("branch", "-m", "main", "not-yet");
  const before = "0".repeat(40);
  const fresh = pushPayload(at.repository, { ref: "refs/heads/other", before, after });
  triedAgain(await at.deliver(fresh), "the default branch");
  const everything = await at.deliver(fresh, last);
  assert.equal(new Set(builds(everything).map((name) => name.split(" ")[0])).size, 3);
  await at.monorepo.git("branch", "-m", "not-yet", "main");
  assert.deepEqual(builds(await at.deliver(fresh, { tries: 2 })), ["docs on x86_64-linux"]);
});

Deno.test("a push whose project list is wrong or missing is told of", async () => {
  await using at = await pushHarness();
  const before = await at.monorepo.git("rev-parse", "main");
  const push = (ref: string, after: string) =>
    at.deliver(pushPayload(at.repository, { ref: `refs/heads/${ref}`, before, after }));
  const bad = await at.monorepo.commit("main", { ".tickborg.json": "{" });
  assert.match(
    `${told(await push("main", bad))}`,
    /^push to main on x86_64-linux: Failure: .*JSON/,
  );
  const none = await at.monorepo.commit("main", { ".tickborg.json": undefined });
  assert.match(`${told(await push("main", none))}`, /: Failure: .*add a \.tickborg\.json/);
  assert.match(`${told(await push("gh-pages", none))}`, /^push to gh-pages .*: Skipped: /);
});

Deno.test("a push that is given up is told of", async () => {
  await using at = await pushHarness();
  const { consumers: [consumer] } = await pushFilter.createService(
    {
      role: "push-filter",
      config: at.config,
      now: () => at.now,
    } as unknown as Parameters<typeof pushFilter.createService>[0],
  );
  const after = await at.monorepo.git("rev-parse", "main");
  const event = (ref: string) =>
    consumer!.decode(
      {
        body: new TextEncoder().encode(
          JSON.stringify(pushPayload(at.repository, { ref, before: after, after })),
        ),
      } as Parameters<NonNullable<typeof consumer>["decode"]>[0],
    );
  const published = await consumer!.exhausted!(
    event("refs/heads/main"),
    new Error("Server is down"),
  );
  assert.match(`${told({ published })}`, /^push to main on .*: gave up: Server is down/);
  assert.deepEqual(await consumer!.exhausted!(event("refs/tags/v1"), new Error("x")), []);
});

import assert from "node:assert/strict";
import { createMonorepo } from "../../testing/monorepo.ts";

Deno.test("a monorepo's pull request can be fetched over HTTP", async () => {
  const monorepo = await createMonorepo({
    files: { "a/hello.txt": "hello\n" },
    projects: [{ name: "a", path: "a", build_system: { Custom: { command: "true" } } }],
  });
  const clone = await Deno.makeTempDir();
  try {
    const head = await monorepo.commit("feature", { "a/hello.txt": "hello, world\n" });
    await monorepo.setPullHead(7, head);
    const { success } = await new Deno.Command("git", {
      args: ["clone", "-q", "--bare", monorepo.cloneUrl, clone],
    }).output();
    assert.ok(success);
    const fetched = await new Deno.Command("git", {
      args: ["-C", clone, "fetch", "-q", monorepo.cloneUrl, "refs/pull/7/head:refs/x"],
    }).output();
    assert.ok(fetched.success, new TextDecoder().decode(fetched.stderr));
    monorepo.serverUp = false;
    const down = await new Deno.Command("git", {
      args: ["ls-remote", monorepo.cloneUrl],
      stderr: "null",
    }).output();
    assert.ok(!down.success);
  } finally {
    await Deno.remove(clone, { recursive: true });
    await monorepo.close();
  }
});

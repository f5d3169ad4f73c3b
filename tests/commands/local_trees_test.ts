/** `tickborg local` builds each project in the files of the branch alone. */
import assert from "node:assert/strict";
import { createMonorepo, type ProjectInput } from "../../testing/monorepo.ts";
import { toolTest } from "../builder/tools.ts";
import { local } from "./local.ts";

toolTest(
  "what one project's build leaves decides nothing about the next one",
  ["make", "cc"],
  async () => {
    const projects: ProjectInput[] = [
      { name: "lax", path: "it", build_system: "Make" },
      {
        name: "strict",
        path: "it",
        build_system: "Make",
        configure_args: ["CFLAGS=-Wall -Werror"],
      },
      { name: "again", path: "it", build_system: { Custom: { command: "mkdir made" } } },
      { name: "once-more", path: "it", build_system: { Custom: { command: "mkdir made" } } },
    ];
    const files = {
      "it/Makefile": "it: it.o\n",
      "it/it.c": "int main(void) { int unused = 1; return 0; }\n",
    };
    const monorepo = await createMonorepo({ files, projects });
    try {
      for (const sandbox of [[], ["--no-sandbox"]]) {
        const args = ["--repo", monorepo.workTree, "--base", "main", "--head", "main", ...sandbox];
        const { code, out } = await local(...args, "lax", "strict", "again", "once-more");
        assert.equal(code, 1, out);
        assert.match(out, /^lax +Success/m);
        assert.match(out, /^strict +Failure/m);
        assert.match(out, /^again +Success/m);
        assert.match(out, /^once-more +Success/m);
        assert.doesNotMatch(out, /\/jobs\//);
      }
    } finally {
      await monorepo.close();
    }
  },
);

Deno.test("a build finds the commit of the branch in its environment, as on a builder", async () => {
  const command = 'test "$TICKBORG_HEAD_SHA" = "$(git rev-parse HEAD^2)"';
  const projects: ProjectInput[] = [{
    name: "it",
    path: "it",
    build_system: { Custom: { command } },
  }];
  const monorepo = await createMonorepo({ files: { "it/x": "1\n" }, projects });
  try {
    await monorepo.commit("topic", { "it/x": "2\n" });
    const args = ["--repo", monorepo.workTree, "--base", "main", "--head", "topic"];
    const { code, out } = await local(...args, "it");
    assert.equal(code, 0, out);
  } finally {
    await monorepo.close();
  }
});

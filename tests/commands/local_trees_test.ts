/** `tickborg local` builds each project in the files of the branch alone. */
import assert from "node:assert/strict";
import { createMonorepo, type ProjectInput } from "../support/monorepo.ts";
import { toolTest } from "../build/tools.ts";
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

/** A project's own scripts: run by themselves where they may be, found where projects keep them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createGuard } from "../../lib/builder/sandbox/guard.ts";
import { createJobFolder } from "../../lib/builder/checkout/job_folder.ts";
import { surveyMachine } from "../../lib/builder/machine.ts";
import { projectFacts } from "../../lib/builder/recipes/project_facts.ts";
import { plainSandbox } from "../../lib/builder/sandbox/sandbox.ts";
import type { Files, ProjectInput } from "../../testing/monorepo.ts";
import { type Built, openBuilderHarness } from "./builder_harness.ts";
import { toolTest } from "./tools.ts";

const AUTOTOOLS = ["autoreconf", "automake", "make", "cc"];
const DEMO: Files = {
  "it/configure.ac":
    "AC_INIT([it], [1])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n",
  "it/Makefile.am": "bin_PROGRAMS = it\nit_SOURCES = main.c\n",
  "it/main.c": "int main(void) { return 0; }\n",
};

async function build(
  build_system: ProjectInput["build_system"],
  files: Files,
  more: Partial<ProjectInput> = {},
): Promise<Built> {
  const projects = [{ name: "it", path: "it", build_system, ...more }];
  await using harness = await openBuilderHarness({ projects, files, builder: { network: false } });
  return await harness.build(await harness.pullRequest({ "x": "1" }));
}

toolTest(
  "an autogen.sh that may run itself is run by the shell that it names",
  AUTOTOOLS,
  async () => {
    const script = "#!/usr/bin/env bash\nset -euo pipefail\ntools=(autoreconf)\n${tools[0]} -fi\n";
    const { result, lines } = await build("Autotools", { ...DEMO, "it/autogen.sh": script });
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.ok(lines.includes("$ cd it && ./autogen.sh"), lines.join("\n"));
  },
);

toolTest(
  "an autogen.sh that configures its own folder is built there, with our arguments",
  AUTOTOOLS,
  async () => {
    const { result, lines } = await build("Autotools", {
      ...DEMO,
      "it/autogen.sh": '#!/bin/sh\nset -e\nautoreconf -fi\n./configure "$@"\n',
    }, { configure_args: ["--prefix=/opt/it"] });
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.ok(lines.includes("$ cd it && ./configure --prefix=/opt/it"), lines.join("\n"));
    assert.match(result.command!, /^cd it && make -j\d+$/);
  },
);

toolTest(
  "an autogen.sh that heeds NOCONFIGURE, and one that makes no configure",
  AUTOTOOLS,
  async () => {
    const heeds = '#!/bin/sh\nset -e\nautoreconf -fi\n[ -n "$NOCONFIGURE" ] || ./configure\n';
    const { result, lines } = await build("Autotools", { ...DEMO, "it/autogen.sh": heeds });
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.match(result.command!, /^mkdir -p build\/it && cd build\/it && make -j\d+$/);
    const none = await build("Autotools", { ...DEMO, "it/autogen.sh": "#!/bin/sh\n:\n" });
    assert.equal(none.result.status, "Failure");
    assert.equal(none.lines.filter((line) => line.includes("autogen.sh")).length, 1);
    assert.match(none.lines.at(-1)!, /^configure exited with code/);
  },
);

toolTest(
  "a configure without its executable bit is run by the shell that it names",
  ["make"],
  async () => {
    const files = { "it/configure.ac": "", "it/Makefile.in": "all:\n" };
    const plain = '#!/bin/sh\nprintf "all:\\n\\t@echo built\\n" > Makefile\n';
    const { result, lines } = await build("Autotools", { ...files, "it/configure": plain });
    assert.equal(result.status, "Success", lines.join("\n"));
    assert.ok(
      lines.includes("$ mkdir -p build/it && cd build/it && sh ../../it/configure"),
      lines.join("\n"),
    );
    const bash = `#! /usr/bin/env bash\nwords=(all:)\necho "\${words[0]}" > Makefile\n`;
    const other = await build("Autotools", { ...files, "it/configure": bash });
    assert.equal(other.result.status, "Success", other.lines.join("\n"));
  },
);

toolTest(
  "the nearest Gradle wrapper upwards is used, and none from outside the checkout",
  ["java"],
  async () => {
    const says = (where: string) => `#!/bin/sh\necho ${where} in $PWD: "$@"\n`;
    const root = await build("Gradle", { gradlew: says("root"), "a/b/build.gradle": "" }, {
      path: "a/b",
    });
    assert.equal(root.result.status, "Success", root.lines.join("\n"));
    assert.match(root.result.command!, /^cd a\/b && sh \.\.\/\.\.\/gradlew .* --project-dir \. /);
    assert.ok(root.lines.some((line) => /^root in \S*a\/b: --no-daemon/.test(line)));
    const nearer = await build("Gradle", {
      gradlew: says("root"),
      "a/gradlew": says("nearer"),
      "a/b/build.gradle": "",
    }, { path: "a/b" });
    assert.match(nearer.result.command!, /^cd a\/b && sh \.\.\/gradlew /);
    const whole = await build("Gradle", { gradlew: says("root") }, { path: "." });
    assert.match(whole.result.command!, /^sh gradlew /);
  },
);

Deno.test("a Gradle wrapper above the checkout is none, and of links only the path counts", async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-facts-" });
  const folders = await createJobFolder(root, "job");
  const guard = createGuard();
  try {
    const machine = await surveyMachine({ path: Deno.env.get("PATH")!, hide: [] });
    const sandbox = plainSandbox({ machine, network: true });
    const look = (path: string) =>
      projectFacts(join(folders.tree, path), {
        sandbox,
        guard,
        folders,
        signal: new AbortController().signal,
      });
    for (const place of [root, folders.root]) await Deno.writeTextFile(join(place, "gradlew"), "");
    await Deno.mkdir(join(folders.tree, "a/b"), { recursive: true });
    await Deno.mkdir(join(folders.tree, "other"));
    await Deno.writeTextFile(join(folders.tree, "other/gradlew"), "#!/usr/bin/env -S bash -e\n");
    await Deno.symlink("other", join(folders.tree, "link"));
    assert.equal((await look("."))!.gradleWrapper, undefined);
    assert.equal((await look("a/b/"))!.gradleWrapper, undefined);
    const linked = (await look("link"))!;
    assert.equal(linked.gradleWrapper, join(folders.tree, "link/gradlew"));
    assert.deepEqual(linked.scripts.get("gradlew"), { executable: false, shell: "bash" });
    assert.equal(await look("missing"), undefined);
  } finally {
    await guard.close();
    await folders.remove();
    await Deno.remove(root, { recursive: true });
  }
});

import assert from "node:assert/strict";
import {
  checkPrefix,
  launchers,
  type Lock,
  productionConfig,
  productionLock,
} from "../../deploy/files/installation.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { succeed } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const lock: Lock = {
  version: "5",
  specifiers: {
    "npm:@a/b@1.0.0": "1.0.0_peer@2.0.0",
    "npm:c@3.0.0": "3.0.0",
    "npm:test@9.0.0": "9.0.0",
  },
  npm: {
    "@a/b@1.0.0_peer@2.0.0": { integrity: "sha512-1", dependencies: ["d@1.0.0", "e"] },
    "c@3.0.0": { integrity: "sha512-2" },
    "d@1.0.0": { integrity: "sha512-3" },
    "d@2.0.0": { integrity: "sha512-4" },
    "e@5.0.0": { integrity: "sha512-5", dependencies: ["@a/b"] },
    "test@9.0.0": { integrity: "sha512-6", dependencies: ["d@2.0.0"] },
  },
  workspace: { dependencies: ["npm:@a/b@1.0.0", "npm:c@3.0.0", "npm:test@9.0.0"] },
};

Deno.test("the lock file keeps what is imported and all that it needs, and nothing else", () => {
  const kept = productionLock(lock, ["npm:@a/b@1.0.0", "npm:c@3.0.0"]);
  assert.deepEqual(Object.keys(kept.npm), [
    "@a/b@1.0.0_peer@2.0.0",
    "c@3.0.0",
    "d@1.0.0",
    "e@5.0.0",
  ]);
  assert.deepEqual(Object.keys(kept.specifiers), ["npm:@a/b@1.0.0", "npm:c@3.0.0"]);
  assert.deepEqual(kept.workspace.dependencies, ["npm:@a/b@1.0.0", "npm:c@3.0.0"]);
});

Deno.test("a lock file that lacks what is imported, or is of another version, is refused", () => {
  assert.throws(() => productionLock(lock, ["npm:missing@1.0.0"]), /Cannot find missing@undefined/);
  assert.throws(() => productionLock({ ...lock, version: "6" }, []), /expected version 5, found 6/);
});

Deno.test("only packages that the sources import stay in deno.json, and no task does", () => {
  const file = {
    imports: { "a": "npm:a@1", "@b/c": "npm:@b/c@1", "ab": "npm:ab@1" },
    tasks: { test: "deno test" },
    nodeModulesDir: "none",
  };
  const sources = [`import x from "a";`, `import("@b/c/deep")`];
  assert.deepEqual(productionConfig(file, sources), {
    imports: { "a": "npm:a@1", "@b/c": "npm:@b/c@1" },
    nodeModulesDir: "none",
  });
});

Deno.test("a prefix that a script or a unit could misread is refused", () => {
  assert.equal(checkPrefix("/opt/tickborg-1.0"), "/opt/tickborg-1.0");
  for (const prefix of ["opt", "/", "/a b", "/a/../b", "/a$(id)", "/a;b", "/a\nb", "/a/", ""]) {
    assert.throws(() => checkPrefix(prefix), /Cannot install to/, prefix);
  }
});

Deno.test("launchers are shell, and each starts its role with its own permissions and without a compiler", () =>
  inFolder(async (folder) => {
    for (const [name, text] of launchers("/opt/tickborg")) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
      await succeed(["sh", "-n", `${folder}/${name}`]);
    }
    for (const name of ROLE_NAMES) {
      const text = launchers("/opt/tickborg").get(name)!;
      assert.match(text, new RegExp(`--v8-flags=--jitless -P=${name} `));
      assert.match(text, /--no-prompt/);
      assert.match(text, /--cached-only --frozen/);
      assert.doesNotMatch(text, / -A/);
    }
  }));

Deno.test({
  name: "tickborg hands a role to its launcher, with every argument as it was given",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(`${folder}/bin`);
      await Deno.writeTextFile(`${folder}/bin/stats`, '#!/bin/sh\nprintf "%s\\n" "$@"\n', {
        mode: 0o755,
      });
      await Deno.writeTextFile(`${folder}/bin/tickborg`, launchers(folder).get("tickborg")!, {
        mode: 0o755,
      });
      const given = await succeed([`${folder}/bin/tickborg`, "stats", "--config", "a b", "*"]);
      assert.equal(given, "--config\na b\n*\n");
    }),
});

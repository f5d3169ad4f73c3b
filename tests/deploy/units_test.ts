import assert from "node:assert/strict";
import { generatedFiles } from "../../deploy/generate.ts";
import { startsSandboxes } from "../../deploy/files/layout.ts";
import { systemdFiles, unitName } from "../../deploy/files/units.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { exposure, verifyUnits } from "./systemd.ts";
import { repositoryFile, repositoryPath, without } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

Deno.test("the generated files are what deno task deploy-files would write", () => {
  for (const [path, text] of generatedFiles()) assert.equal(repositoryFile(path), text, path);
  const units = [...Deno.readDirSync(repositoryPath("deploy/systemd"))].map(({ name }) => name);
  assert.deepEqual(units.sort(), [...systemdFiles().keys()].sort());
});

Deno.test({
  name: "systemd finds no fault in the units",
  ignore: without("systemd-analyze"),
  fn: () => inFolder((folder) => verifyUnits(systemdFiles(), folder)),
});

Deno.test({
  name: "a fault in a unit fails the test above",
  ignore: without("systemd-analyze"),
  fn: () =>
    inFolder(async (folder) => {
      const units = new Map(systemdFiles());
      const name = unitName("stats");
      units.set(name, units.get(name)!.replace("PrivateTmp=true", "PrivateTemp=true"));
      await assert.rejects(verifyUnits(units, folder), /PrivateTemp/);
    }),
});

/** The builder starts sandboxes; each line that it lacks says why in its unit. */
const MAX_LEVEL = { role: 1.5, builder: 2.5 };

Deno.test({
  name: "systemd rates the exposure of every role at 1.5 or less, of the builder at 2.5",
  ignore: without("systemd-analyze"),
  fn: () =>
    inFolder(async (folder) => {
      for (const name of ROLE_NAMES) {
        const unit = unitName(name);
        const level = await exposure(unit, repositoryFile(`deploy/systemd/${unit}`), folder);
        assert.ok(
          level <= (startsSandboxes(name) ? MAX_LEVEL.builder : MAX_LEVEL.role),
          `${name}: ${level}`,
        );
      }
    }),
});

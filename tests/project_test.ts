/** What belongs to the project besides its code agrees with the code. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { generatedFiles } from "../deploy/generate.ts";
import { VERSION } from "../lib/common/version.ts";

function read(path: string): string {
  return Deno.readTextFileSync(new URL(`../${path}`, import.meta.url));
}

Deno.test("the newest entry of the changelog is the version, and the upgrade page knows it", () => {
  const newest = /^## (\d+\.\d+\.\d+)/m.exec(read("CHANGELOG.md"))?.[1];
  assert.equal(newest, VERSION);
  const [major, minor] = VERSION.split(".");
  assert.match(read("docs/upgrading.md"), new RegExp(`^## From .* to ${major}\\.${minor}$`, "m"));
});

Deno.test("the version is written in deno.json alone", () => {
  for (const path of ["flake.nix", "service.nix", "Dockerfile", "docker-compose.yml", "main.ts"]) {
    assert.ok(!read(path).includes(VERSION), path);
  }
});

Deno.test("GitHub runs the command of .ci/run, without rights to write", () => {
  const { jobs, permissions } = parse(read(".github/workflows/ci.yml"));
  const steps = Object.values(jobs as Record<string, { steps: { run?: string }[] }>)
    .flatMap(({ steps }) => steps);
  assert.deepEqual(steps.flatMap(({ run }) => run ?? []), ["sh .ci/run"]);
  assert.match(read(".ci/run"), /^exec sh tests\/run\.sh$/m);
  assert.deepEqual(permissions, { contents: "read" });
});

Deno.test("each generated file is marked as generated, and no other file of ours", () => {
  const marked = [...read(".gitattributes").matchAll(/^(\S+) .*linguist-generated/gm)]
    .map(([, pattern]) => pattern!);
  const matches = (pattern: string, path: string) =>
    pattern === path || pattern.endsWith("/*") && path.startsWith(pattern.slice(0, -1));
  const generated = [...generatedFiles().keys(), "deno.lock"];
  assert.deepEqual(
    generated.filter((path) => !marked.some((pattern) => matches(pattern, path))),
    [],
  );
  assert.deepEqual(
    marked.filter((pattern) => !generated.some((path) => matches(pattern, path))),
    [],
  );
});

Deno.test("editors are told of Deno, and of the width that deno.json has", () => {
  assert.equal(JSON.parse(read(".vscode/settings.json"))["deno.enable"], true);
  const { fmt } = JSON.parse(read("deno.json"));
  assert.match(read(".editorconfig"), new RegExp(`^max_line_length = ${fmt.lineWidth}$`, "m"));
});

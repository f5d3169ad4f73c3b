import assert from "node:assert/strict";
import { inRepository, withoutJobFolder } from "../../lib/builder/log/repository_paths.ts";

const folders = { tree: "/j/1/tree", build: "/j/1/build/core", home: "/j/1/home" };
const workplace = { folders, project: "core", os: "linux" } as const;

Deno.test("A line's paths start at the root of the repository", () => {
  const line = "cd /j/1/build/core && cc -I/j/1/tree -I/j/1/tree/inc /j/1/tree/a.c -L/j/1/home/x";
  assert.equal(
    withoutJobFolder(line, workplace),
    "cd build/core && cc -I. -Iinc a.c -L~/x",
  );
});

const FILES: [file: string, cwd: string, folder: string | undefined, shown: string][] = [
  ["/j/1/tree/core/a.c", "/j/1/build/core", undefined, "core/a.c"],
  ["../../tree/core/a.c", "/j/1/build/core", undefined, "core/a.c"],
  ["a.c", "/j/1/tree/core", undefined, "core/a.c"],
  ["a.c", "/j/1/tree/core", "/j/1/tree/core/lib", "core/lib/a.c"],
  ["gen.h", "/j/1/build/core", undefined, "build/core/gen.h"],
  ["/usr/include/stdio.h", "/j/1/tree", undefined, "/usr/include/stdio.h"],
  ["../../../../etc/passwd", "/j/1/tree", undefined, "../../../../etc/passwd"],
  ["<stdin>", "/j/1/tree", undefined, "<stdin>"],
];
for (const [file, cwd, folder, shown] of FILES) {
  Deno.test(`${file}, seen from ${folder ?? cwd}, is ${shown}`, () => {
    const error = { message: "no", file, line: 1, context: [], ...(folder && { folder }) };
    assert.equal(inRepository(error, { ...workplace, cwd }).file, shown);
  });
}

Deno.test("On Windows too", () => {
  const windows = {
    folders: { tree: "C:\\j\\tree", build: "C:\\j\\build\\x", home: "C:\\j\\home" },
    project: "x",
    os: "windows",
    cwd: "C:\\j\\build\\x",
  } as const;
  const error = { message: "C:\\j\\tree\\b.cpp is bad", file: "C:\\j\\tree\\b.cpp", context: [] };
  assert.deepEqual(inRepository(error, windows), {
    message: "b.cpp is bad",
    file: "b.cpp",
    context: [],
  });
});

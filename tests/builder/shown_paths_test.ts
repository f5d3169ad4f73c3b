/** Paths in a build's output as people read them. */
import assert from "node:assert/strict";
import { HiddenPaths, shownPaths } from "../../lib/builder/log/shown_paths.ts";

Deno.test("a job's folder is taken out of every line, by each name it goes by", () => {
  const shown = shownPaths(["/tmp/j/1", "/private/tmp/j/1"]);
  const table = [
    ["/tmp/j/1/tree/a/b.c:3: error", "a/b.c:3: error"],
    ["/private/tmp/j/1/tree/a.c", "a.c"],
    ["cd '/tmp/j/1/tree' && ls /tmp/j/1/tree/", "cd '.' && ls ./"],
    ["-I/tmp/j/1/tree/include -I/tmp/j/1/tree", "-Iinclude -I."],
    ["file:///tmp/j/1/tree/x", "file://x"],
    ["/tmp/j/1/tree2/x /tmp/j/1/build/it/x", "tree2/x build/it/x"],
    ["/tmp/j/12/tree/x", "/tmp/j/12/tree/x"],
  ];
  for (const [line, expected] of table) assert.equal(shown(line!), expected);
  assert.equal(
    shownPaths(["C:\\j\\1"])("C:\\j\\1\\tree\\a.c C:/j/1/tree/b.c C:/j/1/build/it"),
    "a.c b.c build/it",
  );
});

Deno.test("a place that a command misses and the sandbox hides is named with what to do", () => {
  const unseen = new HiddenPaths((path) => !path.startsWith("/etc/fonts"));
  unseen.see([
    "cat: /etc/tool/data: No such file or directory",
    "installed /etc/other",
    "cannot open /etc/fonts/fonts.conf",
    "cannot find ./etc/own or sysroot/etc/own or /work/src/etc/own",
    "error: failed to load '/var/lib/tool/db'",
  ]);
  assert.deepEqual(
    unseen.advice().map((line) => /hides (\S+) from.*read_only_paths/.exec(line)?.[1]),
    [
      "/etc/tool",
      "/var/lib/tool",
    ],
  );
  const flood = new HiddenPaths(() => true);
  flood.see(Array.from({ length: 100 }, (_, index) => `/etc/x${index} not found`));
  assert.equal(flood.advice().length, 3);
});

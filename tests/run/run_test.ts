import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { freePorts } from "../../testing/ports.ts";
import { countsOf, sum } from "./counts.ts";
import { testFiles } from "./files.ts";

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

Deno.test("the last line of a file's run is counted, whatever a test printed", () => {
  const output = "ok | 99 passed | 0 failed (1s) says a test\n" +
    "\x1b[0m\x1b[31mFAILED\x1b[0m | 12 passed (3 steps) | 2 failed | 1 ignored (5s)\n\nerror: Test failed\n";
  assert.deepEqual(countsOf(output), { passed: 12, failed: 2, skipped: 1 });
  assert.equal(countsOf("error: Uncaught\n"), undefined);
  assert.deepEqual(sum([countsOf(output)!, { passed: 1, failed: 0, skipped: 0 }]), {
    passed: 13,
    failed: 2,
    skipped: 1,
  });
});

Deno.test("every test file is run once, alone or beside others", () => {
  const { together, alone } = testFiles(root, []);
  const all = [...together, ...alone];
  assert.equal(new Set(all).size, all.length);
  assert.ok(all.includes("tests/run/run_test.ts") && all.length > 100);
  assert.ok(alone.includes("tests/log_store/cost_test.ts"));
});

Deno.test("a file or a folder may be named, from wherever one stands; one that is not there may not", () => {
  const { together, alone } = testFiles(root, [
    `${root}/tests/run`,
    `${root}/tests/text/utf8_test.ts`,
  ]);
  assert.deepEqual(alone, []);
  assert.deepEqual(together, [
    "tests/run/descendants_test.ts",
    "tests/run/run_test.ts",
    "tests/text/utf8_test.ts",
  ]);
  assert.throws(
    () => testFiles(root, [`${root}/tests/nothing`]),
    /No test file is at tests\/nothing/,
  );
});

Deno.test("ports are free, and none is given twice in a row", () => {
  const ports = [...freePorts(10), ...freePorts(10)];
  assert.equal(new Set(ports).size, 20);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: ports[3]! });
  assert.equal(listener.addr.port, ports[3]);
});

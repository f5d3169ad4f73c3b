import assert from "node:assert/strict";
import fc from "fast-check";
import { ErrorFinder, type FirstError } from "../../lib/report/first_error.ts";
import { SAMPLES } from "./error_samples.ts";

function find(output: string): FirstError | undefined {
  const finder = new ErrorFinder();
  finder.push(output.split("\n"));
  return finder.found();
}

/** `file:line:column: message`, as far as there is a place. */
function shown(error: FirstError | undefined): string {
  if (error === undefined) return "nothing";
  const { file, line, column, message } = error;
  return [file, line, column].filter((part) => part !== undefined).join(":") +
    (file === undefined ? message : `: ${message}`);
}

for (const [name, output, expected] of SAMPLES) {
  Deno.test(`The first error of ${name}`, () => {
    assert.equal(shown(find(output)), expected);
    // However the output is cut into parts, and whatever stands around it.
    const finder = new ErrorFinder();
    const noise = Array.from({ length: 500 }, (_, index) => `[${index}/500] Building CXX object`);
    finder.push(noise);
    for (const line of output.split("\n")) finder.push([line]);
    finder.push(noise);
    finder.push(noise);
    assert.equal(shown(finder.found()), expected);
  });
}

Deno.test("Colours do not hide an error", () => {
  const output =
    "\x1b[01m\x1b[Ka.c:3:5:\x1b[m\x1b[K \x1b[01;31m\x1b[Kerror: \x1b[m\x1b[Kno such thing";
  assert.equal(shown(find(output)), "a.c:3:5: no such thing");
});

Deno.test("An error keeps the lines around it", () => {
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}`);
  lines[25] = "a.c:3:5: error: no";
  const { context } = find(lines.join("\n"))!;
  assert.equal(context[0], "line 17");
  assert.equal(context[8], "a.c:3:5: error: no");
  assert.equal(context.at(-1), "line 37");
});

Deno.test("A sure error takes the place of what came before it, another error does not", () => {
  const output = [
    "sh: 1: pkg-config: not found",
    "make[1]: *** [Makefile:3: x.o] Error 1",
    "a.c:1: error: first",
    "b.c:1: error: second",
    "make: *** [Makefile:3: all] Error 2",
  ];
  assert.equal(shown(find(output.join("\n"))), "a.c:1: first");
});

Deno.test("A file is seen from the folder that make is in", () => {
  const output = [
    "make[1]: Entering directory '/src/lib'",
    "make[2]: Entering directory '/src/lib/deep'",
    "make[2]: Leaving directory '/src/lib/deep'",
    "a.c:1: error: here",
  ];
  assert.equal(find(output.join("\n"))!.folder, "/src/lib");
});

const HARMLESS = [
  "cc -Werror -c error.c -o error.o",
  "[3/9] Building CXX object error_handling.cc.o",
  "a.c:3:5: warning: unused variable 'x' [-Wunused-variable]",
  "0 errors, 3 warnings",
  "checking for error_at_line... no",
  "-- Performing Test HAVE_ERROR - Failed",
  "tests passed, 0 tests failed out of 9",
  "[  PASSED  ] 3 tests.",
  "test result: ok. 3 passed; 0 failed; 0 ignored",
  "ok 3 - not a failure",
  "not ok 4 - later # TODO not written",
  "make: *** Waiting for unfinished jobs....",
  "Fail:               0",
];
Deno.test("What speaks of errors without telling one is none", () => {
  for (const line of HARMLESS) assert.equal(shown(find(line)), "nothing", line);
});

Deno.test("Whatever is printed, what is found is bounded", () => {
  const hostile = fc.oneof(
    fc.string({ maxLength: 3_000 }),
    fc.constantFrom(
      "a:".repeat(5_000),
      `${"(".repeat(2_000)}1): error C1: ${" [".repeat(4_000)}`,
      `x.c:1: error: ${"\u202e\0😀".repeat(5_000)}`,
      "Traceback (most recent call last):",
      `  File "${"x".repeat(9_000)}", line 9`,
      "CMake Error at a:1 (x):",
      "error: x",
      `make: Entering directory '${"y".repeat(400)}'`,
      ": ".repeat(9_000) + "not found",
    ),
  );
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 60 }), (lines) => {
      const finder = new ErrorFinder();
      finder.push(lines);
      const found = finder.found();
      if (found === undefined) return;
      assert.ok(found.message !== "" && found.message.length <= 300);
      assert.ok((found.file ?? "").length <= 310);
      assert.ok(found.context.length <= 21);
      assert.ok(found.context.every((line) => line.length <= 1_000));
    }),
    { numRuns: 300 },
  );
});

/**
 * Runs format check, lint, type check and every test file, several side by side, and closes with the line
 * `N passed, N failed, N skipped`. Fails when a test was skipped on a CI machine, or when a process was
 * left running.
 */
import { fileURLToPath } from "node:url";
import { type Counts, countsOf, sum } from "./run/counts.ts";
import { Descendants } from "./run/descendants.ts";
import { testFiles } from "./run/files.ts";

const HELP = `Runs format check, lint, type check and every test.
Usage: deno task ok [--filter TEXT] [FILE|FOLDER…]
DENO_JOBS is how many files run side by side; as many as there are processors and one more when absent.`;

const ROOT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** In the environment of whatever the tests start and do not clear it for. */
const MARK = { name: "TICKBORG_TEST_RUN", value: crypto.randomUUID() };

/** Milliseconds that processes which are just ending are given. */
const GRACE_MS = 60_000;

const failures: string[] = [];
const counts: Counts[] = [];

/** Runs Deno; its output is shown as it comes. */
async function step(name: string, args: string[]): Promise<void> {
  console.log(`\n== ${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).spawn().status;
  if (!success) failures.push(name);
}

/** Runs one file; its output is shown when it has ended, so that no other's stands in it. */
async function testFile(file: string, options: readonly string[], place: number): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    // The types were checked in a step of their own.
    args: ["test", "-A", "--frozen", "--no-check", ...options, file],
    cwd: ROOT,
    // Each file takes its ports from a range of its own (`testing/ports.ts`).
    env: { [MARK.name]: MARK.value, TICKBORG_TEST_PLACE: `${place}` },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const output = decoder.decode(stdout);
  console.log(`\n== ${file}\n${output}${decoder.decode(stderr)}`);
  const found = countsOf(output);
  if (found) counts.push(found);
  if (!success) failures.push(file);
  else if (!found) failures.push(`${file} ended without a result`);
}

/** Runs files, so many at once. */
async function testAll(
  files: readonly string[],
  options: readonly string[],
  { jobs, first }: { jobs: number; first: number },
): Promise<void> {
  const waiting = [...files.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await testFile(next[1], options, first + next[0]);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
}

/** Processes that the tests left behind; what only needs a moment to end is given one. */
async function leftRunning(descendants: Descendants): Promise<Map<number, string>> {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const left = descendants.running();
    if (left.size === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** The options that `deno test` is given, and the paths. */
function readArguments(args: readonly string[]): { options: string[]; paths: string[] } {
  const options: string[] = [];
  const paths: string[] = [];
  for (let index = 0; index < args.length; index++) {
    if (args[index] === "--filter") options.push(`--filter=${args[++index] ?? ""}`);
    else (args[index]!.startsWith("-") ? options : paths).push(args[index]!);
  }
  return { options, paths };
}

if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) {
  console.log(HELP);
  Deno.exit(0);
}

const { options, paths } = readArguments(Deno.args);
const { together, alone } = testFiles(ROOT, paths);
const jobs = Math.max(1, Number(Deno.env.get("DENO_JOBS")) || navigator.hardwareConcurrency + 1);
await step("format", ["fmt", "--check"]);
await step("lint", ["lint"]);
await step("types", ["check", "--frozen", "."]);
const linux = Deno.build.os === "linux";
const descendants = linux ? new Descendants(Deno.pid, `${MARK.name}=${MARK.value}`) : undefined;
await testAll(together, options, { jobs, first: 0 });
await testAll(alone, options, { jobs: 1, first: together.length });

const { passed, failed, skipped } = sum(counts);
const inCi = Deno.env.get("CI") === "true";
if (passed === 0) failures.push("no test ran");
if (skipped > 0 && inCi) failures.push(`${skipped} tests were skipped`);
if (descendants) {
  const left = await leftRunning(descendants);
  descendants[Symbol.dispose]();
  for (const [pid, command] of left) console.log(`left running: ${pid} ${command}`);
  if (left.size > 0) failures.push("processes were left running");
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join("; ")}`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failures.length > 0 ? 1 : 0);

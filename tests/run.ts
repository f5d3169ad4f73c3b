/**
 * Runs format check, lint, type check and every test, and closes with the line `N passed, N failed`.
 * Fails when a test was skipped on a CI machine, or when a process was left running.
 */
import { stripVTControlCharacters } from "node:util";

const decoder = new TextDecoder();

/** Servers and sandboxes the tests start, some with an environment of their own: any new one was left behind. */
const SERVERS = /(deno|beam\.smp|epmd|nginx|chrom|bwrap|prometheus)\b/;

/** In the environment of whatever the tests start and do not clear it for. */
const MARK = `TICKBORG_TEST_RUN=${crypto.randomUUID()}`;

async function running(): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for await (const entry of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(entry.name)) continue;
    try {
      const command = (await Deno.readTextFile(`/proc/${entry.name}/cmdline`)).replaceAll(
        "\0",
        " ",
      );
      const environment = await Deno.readTextFile(`/proc/${entry.name}/environ`);
      if (SERVERS.test(command) || environment.includes(MARK)) {
        found.set(Number(entry.name), command.slice(0, 160));
      }
    } catch {
      // The process ended meanwhile.
    }
  }
  return found;
}

/** Processes that the tests left behind; what only needs a moment to end is given one. */
async function leftRunning(): Promise<[number, string][]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const left = [...await running()].filter(([pid]) => !before.has(pid) && pid !== Deno.pid);
    if (left.length === 0 || Date.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function step(name: string, args: string[]): Promise<string> {
  console.log(`\n== ${name}`);
  const [variable, value] = MARK.split("=") as [string, string];
  const child = new Deno.Command(Deno.execPath(), {
    args,
    env: { [variable]: value },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let output = "";
  for await (const chunk of child.stdout) {
    await Deno.stdout.write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  const { success } = await child.status;
  if (!success) failures.push(name);
  return output;
}

if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) {
  console.log("Runs format check, lint, type check and every test.\nUsage: deno task ok [FILE…]");
  Deno.exit(0);
}

const failures: string[] = [];
const before = await running();
await step("format", ["fmt", "--check"]);
await step("lint", ["lint"]);
await step("types", ["check", "--frozen", "."]);
const output = await step("tests", ["test", "-A", "--frozen", ...Deno.args]);

// The runner's last line: `ok | 12 passed (3 steps) | 0 failed | 1 ignored (5s)`.
const summary =
  stripVTControlCharacters(output).trimEnd().split("\n").findLast((line) =>
    /\| \d+ passed/.test(line)
  ) ?? "";
const count = (word: string) => Number(summary.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
const [passed, failed, skipped] = [count("passed"), count("failed"), count("ignored")];
if (passed === 0) failures.push("no test ran");
const inCi = Deno.env.get("CI") === "true";
if (skipped > 0 && inCi) failures.push(`${skipped} tests were skipped`);

if (Deno.build.os === "linux") {
  const left = await leftRunning();
  for (const [pid, command] of left) console.log(`left running: ${pid} ${command}`);
  // At a desk they may be somebody else's.
  if (left.length > 0 && inCi) failures.push("processes were left running");
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join("; ")}`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
Deno.exit(failures.length > 0 ? 1 : 0);

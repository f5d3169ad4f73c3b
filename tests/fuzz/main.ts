/** `deno task fuzz`: the property tests of this folder, for longer than the tests run them. */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const HELP = `Feeds every reader of input from outside with hostile data

Usage: deno task fuzz [--runs N] [--seed N] [--only WORD]

  --runs N     times each property is tried (5000)
  --seed N     where the data comes from; a random one when absent, printed in either case
  --only WORD  only tests whose name holds the word
`;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5000" },
    seed: { type: "string" },
    only: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const seed = values.seed ?? String(crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1);
console.error(`Seed ${seed}`);
const tests = fileURLToPath(new URL(".", import.meta.url));
const only = values.only === undefined ? [] : ["--filter", values.only];
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--frozen", ...only, tests],
  env: { FUZZ_RUNS: values.runs, FUZZ_SEED: seed },
}).spawn().status;
Deno.exit(code);

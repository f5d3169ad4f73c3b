/**
 * A reduced chaos run over each broker; `deno task chaos` does the full one. CHAOS_PULL_REQUESTS,
 * CHAOS_FAULTS (six groups of them must come) and CHAOS_SEED make it another one.
 */
import assert from "node:assert/strict";
import { withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { format } from "./report.ts";
import { BROKERS, type ChaosEvent } from "./options.ts";
import { FAULTS, runChaos } from "./run.ts";

function fromEnvironment(name: string, fallback: number): number {
  const value = Number(Deno.env.get(name) ?? fallback);
  assert.ok(Number.isInteger(value) && value >= 0, `${name} is to be a whole number`);
  return value;
}

function groups(faults: typeof FAULTS): string[] {
  return [...new Set(faults.map(({ group }) => group))].sort();
}

/** Pull requests and faults of each run. */
const RUNS: Record<string, readonly [number, number]> = {
  "rabbitmq": [20, 16],
  "rabbitmq4-quorum": [12, 12],
  "embedded": [20, 10],
};

for (const [name, [pullRequests, faults]] of Object.entries(RUNS)) {
  const choice = BROKERS[name]!;
  const { broker, server } = choice;
  Deno.test({
    name: `nothing is lost and nothing done twice while everything breaks, over ${name}`,
    ignore: broker === "rabbitmq" && withoutRabbitMq(server?.version),
    async fn() {
      const told: string[] = [];
      const onEvent = (event: ChaosEvent) => {
        if (event.kind === "fault") told.push(`  ${event.name}: ${event.what}`);
        else if (event.kind === "progress" && told.at(-1) !== event.line) told.push(event.line);
      };
      const report = await runChaos({
        ...choice,
        pullRequests: fromEnvironment("CHAOS_PULL_REQUESTS", pullRequests),
        faults: fromEnvironment("CHAOS_FAULTS", faults),
        seed: fromEnvironment("CHAOS_SEED", 7),
        onEvent,
      });
      assert.ok(report.ok, `${told.join("\n")}\n${format(report)}`);
      assert.equal(report.lost.length + report.duplicated.length, 0);
      const possible = FAULTS.filter((fault) => broker === "rabbitmq" || !fault.rabbitmq);
      const made = FAULTS.filter(({ name }) => name in report.faults);
      assert.deepEqual(groups(made), groups(possible), "something of each kind has broken");
      assert.ok(report.logLines > 0 && report.messages.published > 100);
      console.log(format(report));
    },
  });
}

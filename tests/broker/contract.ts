/** What every broker promises, told as stories; each runs on every broker. */
import { DELIVERING } from "./contract/delivering.ts";
import { type OpenFixture, TOPOLOGY } from "./contract/fixture.ts";
import { LOOKING } from "./contract/looking.ts";
import { ROUTING } from "./contract/routing.ts";

export type { BrokerFixture } from "./contract/fixture.ts";

/** Registers every story for a kind of broker. */
export function testContract(
  kind: string,
  open: OpenFixture,
  options: { ignore?: boolean } = {},
): void {
  for (const [name, story] of Object.entries({ ...ROUTING, ...DELIVERING, ...LOOKING })) {
    Deno.test({
      name: `${kind}: ${name}`,
      ignore: options.ignore ?? false,
      fn: async () => {
        await using fixture = await open(TOPOLOGY);
        await story(fixture);
      },
    });
  }
}

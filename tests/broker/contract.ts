/** What every broker promises, told as stories; each runs on every broker. */
import { DELIVERING } from "./contract/delivering.ts";
import { type OpenFixture, type Story, TOPOLOGY } from "./contract/fixture.ts";
import { LOOKING } from "./contract/looking.ts";
import { ROUTING } from "./contract/routing.ts";

export type { BrokerFixture } from "./contract/fixture.ts";

const STORIES: Readonly<Record<string, Story>> = { ...ROUTING, ...DELIVERING, ...LOOKING };

/** Has `tell` register every story, which is told on a fixture that `open` makes of what `tell` gives. */
export function testContract<Place>(
  tell: (name: string, fn: (place: Place) => Promise<void>) => void,
  open: OpenFixture<Place>,
): void {
  for (const [name, story] of Object.entries(STORIES)) {
    tell(name, async (place) => {
      await using fixture = await open(TOPOLOGY, place);
      await story(fixture);
    });
  }
}

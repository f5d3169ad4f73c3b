/** Faults of what is not ours: GitHub, the git server, the way to the receivers. */
import { pause } from "../../testing/waiting.ts";
import type { Fault, Stage } from "./faults.ts";
import type { World } from "./world.ts";

async function gitHubFault(
  { random, world }: Stage,
  fault: Parameters<World["github"]["fail"]>[0],
): Promise<string> {
  const ms = random.whole(500, 4_000);
  world.github.fail({ probability: random.pick([0.3, 0.7, 1]), ...fault });
  await pause(ms);
  world.github.clearFaults();
  return `${ms} ms`;
}

/** Faults of the world outside. */
export const OUTSIDE_FAULTS: readonly Fault[] = [
  {
    name: "GitHub answers 500, 502, 503",
    group: "github",
    weight: 5,
    run: (stage) => gitHubFault(stage, { status: stage.random.pick([500, 502, 503]) }),
  },
  {
    name: "GitHub answers 429",
    group: "github",
    weight: 4,
    run: (stage) => gitHubFault(stage, { status: 429, retryAfter: 1 }),
  },
  {
    name: "GitHub limits bursts",
    group: "github",
    weight: 2,
    run: (stage) => gitHubFault(stage, { secondaryRateLimit: true, retryAfter: 1 }),
  },
  {
    name: "GitHub answers 401",
    group: "github",
    weight: 4,
    run(stage) {
      stage.world.github.app.expireTokens();
      return gitHubFault(stage, { status: 401 });
    },
  },
  {
    name: "GitHub is slow",
    group: "github",
    weight: 3,
    run: (stage) => gitHubFault(stage, { slowMs: stage.random.whole(200, 3_000) }),
  },
  {
    name: "GitHub's answers get lost",
    group: "github",
    weight: 5,
    run: (stage) => gitHubFault(stage, { drop: true, applied: stage.random.chance(0.6) }),
  },
  {
    name: "git server down",
    group: "git",
    weight: 5,
    async run({ world, random }) {
      const ms = random.whole(500, 5_000);
      world.monorepo.serverUp = false;
      await pause(ms);
      world.monorepo.serverUp = true;
      return `${ms} ms`;
    },
  },
  {
    name: "receivers cannot be reached",
    group: "front",
    weight: 4,
    async run({ front, random }) {
      const ms = random.whole(500, 4_000);
      front.refusing = true;
      front.cut();
      await pause(ms);
      front.refusing = false;
      return `${ms} ms`;
    },
  },
];

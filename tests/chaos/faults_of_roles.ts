/** Faults of the roles themselves: processes that are killed, stopped and frozen. */
import { pause } from "../../testing/waiting.ts";
import type { Fault, Stage } from "./faults.ts";
import type { Instance } from "./instance.ts";

/** Ends instances and starts them again after a while. */
async function bounce(
  instances: readonly Instance[],
  { signal, ms }: { signal: "SIGKILL" | "SIGTERM"; ms: number },
): Promise<string | undefined> {
  if (instances.length === 0) return undefined;
  await Promise.all(instances.map((instance) => instance.end(signal)));
  await pause(ms);
  for (const instance of instances) instance.start();
  return `${instances.map(({ name }) => name).join(", ")}, back after ${ms} ms`;
}

function running({ instances }: Stage, role?: string): Instance[] {
  return instances.filter((it) => it.up && (role === undefined || it.role === role));
}

/** An instance that runs, or none where all are down just now. */
function victim(stage: Stage, role?: string): Instance[] {
  const candidates = running(stage, role);
  return candidates.length === 0 ? [] : [stage.random.pick(candidates)];
}

/** Faults of processes. */
export const ROLE_FAULTS: readonly Fault[] = [
  {
    name: "role killed",
    group: "role",
    weight: 20,
    run: (stage) => bounce(victim(stage), { signal: "SIGKILL", ms: stage.random.whole(0, 3_000) }),
  },
  {
    name: "role stopped",
    group: "role",
    weight: 10,
    run: (stage) => bounce(victim(stage), { signal: "SIGTERM", ms: stage.random.whole(0, 3_000) }),
  },
  {
    name: "both instances killed",
    group: "role",
    weight: 6,
    rabbitmq: true,
    run: (stage) => {
      const role = stage.random.pick(stage.instances).role;
      return bounce(running(stage, role), { signal: "SIGKILL", ms: stage.random.whole(0, 4_000) });
    },
  },
  {
    name: "builder killed in a build",
    group: "role",
    weight: 8,
    rabbitmq: true,
    async run(stage) {
      const building = () =>
        stage.world.repository.allCheckRuns.some((run) => run.status === "in_progress");
      for (let waited = 0; waited < 4_000 && !building(); waited += 50) await pause(50);
      return await bounce(victim(stage, "builder"), { signal: "SIGKILL", ms: 1_000 });
    },
  },
  {
    name: "collectors stopped for a while",
    group: "role",
    weight: 5,
    rabbitmq: true,
    run: (stage) =>
      bounce(running(stage, "log-message-collector"), {
        signal: stage.random.pick(["SIGKILL", "SIGTERM"]),
        ms: stage.random.whole(3_000, 8_000),
      }),
  },
  {
    name: "role frozen",
    group: "freeze",
    weight: 6,
    async run(stage) {
      const [instance] = victim(stage);
      const ms = stage.random.whole(500, 6_000);
      if (!instance) return undefined;
      await instance.freeze(ms);
      return `${instance.name} for ${ms} ms`;
    },
  },
  {
    // The broker gives its work to others; it wakes up in the middle of what is theirs now.
    name: "role frozen until the broker gave it up",
    group: "freeze",
    weight: 2,
    rabbitmq: true,
    slow: true,
    async run(stage) {
      const [instance] = victim(
        stage,
        stage.random.pick([
          "builder",
          "github-comment-poster",
          "mass-rebuilder",
          "log-message-collector",
        ]),
      );
      if (!instance) return undefined;
      const ms = stage.random.whole(40_000, 50_000);
      await instance.freeze(ms);
      return `${instance.name} for ${ms} ms`;
    },
  },
];

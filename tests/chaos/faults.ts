/** What a run breaks: each fault is made, held for a while, and mended. */
import type { RabbitMqServer } from "../support/rabbitmq.ts";
import type { Instance } from "./instance.ts";
import type { Proxy } from "./proxy.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** What faults are made with. */
export interface Stage {
  readonly random: Random;
  readonly world: World;
  readonly instances: readonly Instance[];
  /** Between GitHub and the receivers. */
  readonly front: Proxy;
  /** Between the roles and RabbitMQ; undefined with the embedded broker. */
  readonly network?: { readonly proxy: Proxy; readonly server: RabbitMqServer };
}

/** A kind of fault. Two of one group are never made at once. */
export interface Fault {
  readonly name: string;
  readonly group: "role" | "freeze" | "broker" | "git" | "github" | "front";
  readonly weight: number;
  /** Whether it needs RabbitMQ. */
  readonly rabbitmq?: boolean;
  /** Makes the fault and mends it; resolves to what it did, undefined where nothing was there to break. */
  run(stage: Stage): Promise<string | undefined>;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

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

/** Every kind of fault. */
export const FAULTS: readonly Fault[] = [
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
    name: "broker restarted",
    group: "broker",
    weight: 3,
    rabbitmq: true,
    async run({ network, random }) {
      await network!.server.stop();
      await pause(random.whole(0, 2_000));
      await network!.server.start();
      return "SIGTERM";
    },
  },
  {
    name: "broker killed",
    group: "broker",
    weight: 3,
    rabbitmq: true,
    async run({ network, random }) {
      await network!.server.kill();
      await pause(random.whole(0, 2_000));
      await network!.server.start();
      return "SIGKILL";
    },
  },
  {
    name: "broker closes all connections",
    group: "broker",
    weight: 3,
    rabbitmq: true,
    async run({ network }) {
      await network!.server.ctl("close_all_connections", "chaos");
      return "";
    },
  },
  {
    name: "broker's memory alarm",
    group: "broker",
    weight: 3,
    rabbitmq: true,
    async run({ network, random }) {
      const ms = random.whole(500, 4_000);
      await network!.server.ctl("set_vm_memory_high_watermark", "absolute", "1MB");
      await pause(ms);
      await network!.server.ctl("set_vm_memory_high_watermark", "absolute", "1GB");
      return `${ms} ms`;
    },
  },
  {
    name: "connections cut",
    group: "broker",
    weight: 10,
    rabbitmq: true,
    run({ network, random }) {
      const share = random.pick([0.1, 0.5, 1]);
      const cut = network!.proxy.cut(() => random.chance(share));
      return Promise.resolve(cut === 0 ? undefined : `${cut} connections`);
    },
  },
  {
    name: "network stalled",
    group: "broker",
    weight: 4,
    rabbitmq: true,
    async run({ network, random }) {
      const ms = random.whole(1_000, 12_000);
      await network!.proxy.stall(ms);
      return `${ms} ms`;
    },
  },
  {
    name: "network refused",
    group: "broker",
    weight: 3,
    rabbitmq: true,
    async run({ network, random }) {
      const ms = random.whole(500, 4_000);
      network!.proxy.refusing = true;
      const cut = network!.proxy.cut();
      await pause(ms);
      network!.proxy.refusing = false;
      return `${cut} connections, ${ms} ms`;
    },
  },
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

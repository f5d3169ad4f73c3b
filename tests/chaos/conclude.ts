/** Ends a run: stops the roles, looks at what they leave, and makes the report. */
import type { Problem } from "./audit.ts";
import type { ChaosFleet } from "./fleet.ts";
import type { Network } from "./inspector.ts";
import { embeddedRemains, rabbitMqRemains, type Remains } from "./queues.ts";
import { byKind, type Report } from "./report.ts";
import type { ChaosOptions } from "./options.ts";
import { strayProcesses } from "./strays.ts";
import type { World } from "./world.ts";

/** What a run comes to its end with. */
export interface Ended {
  readonly world: World;
  readonly fleet: ChaosFleet;
  readonly network: Network | undefined;
  readonly folder: string;
  readonly options: ChaosOptions;
  /** What was amiss when everything had settled. */
  readonly problems: readonly Problem[];
  readonly faults: ReadonlyMap<string, number>;
  readonly logLines: number;
  seconds(): number;
}

/** Stops the roles and makes the report. */
export async function conclude(ended: Ended): Promise<Report> {
  const { world: { repository, github, works }, fleet: { instances }, options } = ended;
  await Promise.all(instances.map((instance) => instance.end("SIGTERM")));
  const left = await leftBehind(ended);
  const wrong = [
    ...instances.flatMap(({ crashes }) => crashes),
    ...(await strayProcesses(ended.folder)).map((stray) => `Left running: ${stray}`),
    ...github.violations,
    ...left.deadLetters.map((letter) => `Dead letter: ${letter}`),
  ];
  const problems = [
    ...ended.problems,
    ...left.forgotten.map((what): Problem => ({ kind: "lost", what })),
    ...wrong.map((what): Problem => ({ kind: "wrong", what })),
  ];
  const failed = github.deliveries.filter(({ statusCode }) => statusCode < 200 || statusCode > 299);
  return {
    ok: problems.length === 0,
    seed: options.seed,
    broker: options.broker,
    seconds: ended.seconds(),
    pullRequests: works.filter(({ plan }) => plan.kind === "pull request").length,
    pushes: works.filter(({ plan }) => plan.kind === "push").length,
    checkRuns: repository.allCheckRuns.length,
    logLines: ended.logLines,
    faults: Object.fromEntries(ended.faults),
    gitHubFaults: github.faults.injected,
    webhooks: { sent: github.deliveries.length, failed: failed.length },
    messages: left.messages,
    processes: {
      instances: instances.length,
      starts: instances.reduce((sum, { starts }) => sum + starts, 0),
    },
    ...byKind(problems),
    deadLetters: left.deadLetters,
  };
}

/** What the brokers hold and carried. */
async function leftBehind(
  { network, fleet }: Ended,
): Promise<Remains & { messages: Report["messages"] }> {
  if (network) {
    const { published, delivered } = network.proxy.counter;
    const remains = await rabbitMqRemains(network.server, network.vhost);
    return { ...remains, messages: { published, delivered } };
  }
  const { published, ...remains } = embeddedRemains(fleet.brokerFile);
  return { ...remains, messages: { published, delivered: undefined } };
}

/** The processes of a run: two instances of each role over RabbitMQ, or one process with all of them. */
import { join } from "node:path";
import { ROLE_NAMES, type RoleName } from "../../services/roles.ts";
import type { FakeGitHub } from "../../testing/fake_github/mod.ts";
import { writeConfig } from "../../testing/fleet_config.ts";
import { freePorts } from "../../testing/ports.ts";
import type { Vhost } from "../../testing/rabbitmq.ts";
import { Instance } from "./instance.ts";

/** What a fleet is made of. */
export interface FleetParts {
  readonly folder: string;
  readonly github: FakeGitHub;
  readonly repo: string;
  /** The broker, by way of the proxy; embedded when absent. */
  readonly vhost?: Vhost;
  /** Instances of each role, where there is a broker to connect them; 2 when absent. */
  readonly copies?: number;
  /** Multiplies the delays before another attempt. */
  readonly retryScale: number;
}

/** The processes and where they listen. */
export interface ChaosFleet {
  readonly instances: readonly Instance[];
  readonly receiverPorts: readonly number[];
  readonly logPorts: readonly number[];
  /** File of the embedded broker. */
  readonly brokerFile: string;
}

/** Writes the configurations; starts nothing. */
export async function layOutFleet(parts: FleetParts): Promise<ChaosFleet> {
  const copies = parts.vhost ? parts.copies ?? 2 : 1;
  const ports = freePorts(3 * copies);
  const instances: Instance[] = [];
  for (let copy = 0; copy < copies; copy++) {
    const [receiver, logs, stats] = ports.slice(3 * copy) as [number, number, number];
    const file = await writeConfig({
      folder: parts.folder,
      github: parts.github,
      repos: [parts.repo],
      listens: { receiver, logs, stats },
      vhost: parts.vhost,
    });
    const configPath = join(parts.folder, `config-${copy + 1}.json`);
    await Deno.writeTextFile(configPath, JSON.stringify(shorten(file, copy + 1), null, 2));
    const roles: readonly (RoleName | "all")[] = parts.vhost ? ROLE_NAMES : ["all"];
    for (const role of roles) {
      const name = `${role}-${copy + 1}`;
      instances.push(
        new Instance({
          name,
          role,
          configPath,
          logPath: join(parts.folder, `${name}.log`),
          retryScale: parts.retryScale,
        }),
      );
    }
  }
  return {
    instances,
    receiverPorts: ports.filter((_, index) => index % 3 === 0),
    logPorts: ports.filter((_, index) => index % 3 === 1),
    brokerFile: join(parts.folder, "broker.sqlite"),
  };
}

/** Sweeps every few seconds instead of minutes: a run cannot wait for them. */
// deno-lint-ignore no-explicit-any
function shorten(file: any, copy: number): unknown {
  return {
    ...file,
    github_comment_poster: {
      ...file.github_comment_poster,
      sweep_interval_seconds: 5,
      no_builder_seconds: 20,
    },
    // Both logs are served from one folder, so that a link holds whichever instance answers.
    builder: { ...file.builder, concurrency: 2, stop_grace_seconds: 1 },
    runner: { ...file.runner, instance: `chaos-${copy}`, identity: `chaos-${copy}` },
  };
}

/** Starts every instance that is not up, some at a time; resolves when all are ready. */
export async function startAll(instances: readonly Instance[]): Promise<void> {
  const waiting = [...instances];
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      next.start();
      await next.ready();
    }
  };
  await Promise.all([lane(), lane(), lane()]);
}

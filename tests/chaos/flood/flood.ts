/** A fleet under a flood: one process of each role over a real RabbitMQ, and counts of what becomes of it all. */
import { connectRabbitMq } from "../../../lib/broker/rabbitmq/broker.ts";
import { ack, type Broker, type Publication } from "../../../lib/broker/broker.ts";
import { HEADER } from "../../../lib/broker/envelope.ts";
import { roleLogger } from "../../../lib/runtime/log.ts";
import { QUEUE } from "../../../lib/broker/topology.ts";
import { WEBHOOK_SECRET } from "../../../testing/fleet_config.ts";
import { type RabbitMqServer, startRabbitMq, type Vhost } from "../../../testing/rabbitmq.ts";
import { pause, TIMEOUT_MS } from "../../../testing/waiting.ts";
import { type ChaosFleet, layOutFleet, startAll } from "../fleet.ts";
import { Inspector } from "../inspector.ts";
import { dial, Proxy } from "../proxy.ts";
import { World } from "../world.ts";
import { FLOOD_HEADER } from "./malformed.ts";

/** Messages published with one wait for the broker's confirms. */
const BATCH = 1_000;

interface Parts {
  readonly folder: string;
  readonly server: RabbitMqServer;
  readonly vhost: Vhost;
  readonly world: World;
  readonly fleet: ChaosFleet;
  readonly broker: Broker;
}

/** The fleet. */
export class Flood implements AsyncDisposable {
  readonly #parts: Parts;
  readonly fleet: ChaosFleet;
  readonly world: World;
  /** How often each message of the flood came out as a dead letter, by its number. */
  readonly dead = new Map<number, number>();
  /** Dead letters that lack a reason, a queue or a time, or are none of the flood's. */
  readonly odd: string[] = [];
  readonly #proxy: Proxy;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.fleet = parts.fleet;
    this.world = parts.world;
    this.#proxy = new Proxy(dial(parts.vhost.port));
  }

  static async start(): Promise<Flood> {
    const folder = await Deno.makeTempDir({ prefix: "tickborg-flood-" });
    const server = await startRabbitMq();
    const vhost = await server.vhost();
    const world = await World.create(Math.random);
    const fleet = await layOutFleet({
      folder,
      github: world.github,
      repo: world.monorepo.fullName,
      vhost,
      copies: 1,
      retryScale: 0.02,
    });
    const settings = { ...vhost, vhost: vhost.name };
    const broker = await connectRabbitMq(settings, { log: roleLogger("flood"), name: "flood" });
    const flood = new Flood({ folder, server, vhost, world, fleet, broker });
    await startAll(fleet.instances);
    world.github.setWebhook({
      url: `http://127.0.0.1:${fleet.receiverPorts[0]}/github-webhook`,
      secret: WEBHOOK_SECRET,
    });
    await flood.#collect();
    return flood;
  }

  /** Takes the dead letters as they come and counts them. */
  async #collect(): Promise<void> {
    await this.#parts.broker.consume(
      { queue: QUEUE.deadLetters, prefetch: 2_000 },
      ({ headers, body }) => {
        const id = Number(headers[FLOOD_HEADER]);
        const told = [HEADER.reason, HEADER.queue, HEADER.time].every((key) => headers[key]);
        if (told && Number.isInteger(id)) this.dead.set(id, (this.dead.get(id) ?? 0) + 1);
        else this.odd.push(`${JSON.stringify(headers)} ${body.length} bytes`);
        return Promise.resolve(ack);
      },
    );
  }

  async publish(messages: Iterable<Publication>): Promise<void> {
    let batch: Publication[] = [];
    for (const message of messages) {
      if (batch.push(message) < BATCH) continue;
      await this.#parts.broker.publish(batch, { timeoutMs: TIMEOUT_MS });
      batch = [];
    }
    if (batch.length > 0) await this.#parts.broker.publish(batch, { timeoutMs: TIMEOUT_MS });
  }

  /** Resident memory of each process in bytes: the least of some looks, so that garbage does not count. */
  async memory(): Promise<Map<string, number>> {
    const least = new Map<string, number>();
    for (let look = 0; look < 6; look++) {
      if (look > 0) await pause(400);
      for (const instance of this.fleet.instances) {
        const bytes = await instance.memory();
        if (bytes !== undefined) {
          least.set(instance.name, Math.min(bytes, least.get(instance.name) ?? Infinity));
        }
      }
    }
    return least;
  }

  /** What is wrong with a pull request that was opened; empty as soon as nothing is. */
  inspector(): Inspector {
    const { server, vhost } = this.#parts;
    const network = { server, vhost, proxy: this.#proxy };
    return new Inspector({ world: this.world, fleet: this.fleet, network });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { broker, server, folder } = this.#parts;
    await Promise.all(this.fleet.instances.map((instance) => instance.end("SIGTERM")));
    await broker.close();
    await this.#proxy.close();
    await server[Symbol.asyncDispose]();
    await this.world.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a run breaks: each fault is made, held for a while, and mended. */
import type { RabbitMqServer } from "../../testing/rabbitmq.ts";
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
  /** Whether it takes most of a minute: for long runs only. */
  readonly slow?: boolean;
  /** Makes the fault and mends it; resolves to what it did, undefined where nothing was there to break. */
  run(stage: Stage): Promise<string | undefined>;
}

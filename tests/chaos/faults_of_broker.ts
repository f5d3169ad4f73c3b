/** Faults of RabbitMQ and of the network to it. */
import { pause } from "../../testing/waiting.ts";
import type { Fault } from "./faults.ts";

/** Faults of the broker; all need RabbitMQ. */
export const BROKER_FAULTS: readonly Fault[] = [
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
];

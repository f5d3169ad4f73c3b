/** RabbitMQ: the contract on a real server. */
import { getLogger } from "@logtape/logtape";
import { connectRabbitMq } from "../../lib/broker/rabbitmq/broker.ts";
import type { Topology } from "../../lib/broker/topology.ts";
import { type RabbitMqServer, startRabbitMq, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { until } from "../../testing/waiting.ts";
import { type BrokerFixture, testContract } from "./contract.ts";

const ignore = withoutRabbitMq();
const log = getLogger(["tickborg", "test"]);
let server: RabbitMqServer;

Deno.test.beforeAll(async () => {
  if (!ignore) server = await startRabbitMq();
});

Deno.test.afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function openFixture(topology: Topology): Promise<BrokerFixture> {
  const { name: vhost, ...place } = await server.vhost();
  const broker = await connectRabbitMq({ ...place, vhost }, { log, topology });
  return {
    broker,
    async restart() {
      await server.restart();
      await until("the broker to be back", () => broker.state === "connected");
    },
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

testContract("RabbitMQ", openFixture, { ignore });

/** RabbitMQ: the contract on real servers. */
import { getLogger } from "@logtape/logtape";
import { connectRabbitMq } from "../../lib/broker/rabbitmq/broker.ts";
import type { Topology } from "../../lib/broker/topology.ts";
import type { Vhost } from "../../testing/rabbitmq.ts";
import { until } from "../../testing/waiting.ts";
import { type BrokerFixture, testContract } from "./contract.ts";
import { tellOnEachServer } from "./each_server.ts";

const log = getLogger(["tickborg", "test"]);
const each = tellOnEachServer();

async function openFixture(
  topology: Topology,
  { name, ...place }: Vhost,
): Promise<BrokerFixture> {
  const broker = await connectRabbitMq({ ...place, vhost: name }, { log, topology });
  return {
    broker,
    async restart() {
      await each.server.restart();
      await until("the broker to be back", () => broker.state === "connected");
    },
    [Symbol.asyncDispose]: () => broker.close(),
  };
}

testContract(each.story, openFixture);

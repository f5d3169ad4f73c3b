/** The embedded broker: the contract, and what only a file can do. */
import { getLogger } from "@logtape/logtape";
import type { Broker } from "../../lib/broker/broker.ts";
import { openEmbedded } from "../../lib/broker/embedded.ts";
import type { Topology } from "../../lib/topology.ts";
import { type BrokerFixture, testContract } from "./contract.ts";

const log = getLogger(["tickborg", "test"]);

async function openFixture(topology: Topology): Promise<BrokerFixture> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-embedded-" });
  const open = () => openEmbedded(`${folder}/new/broker.sqlite`, { log, topology });
  let broker: Broker = await open();
  return {
    get broker() {
      return broker;
    },
    async restart() {
      await broker.close();
      broker = await open();
    },
    async [Symbol.asyncDispose]() {
      await broker.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

testContract("embedded", openFixture);

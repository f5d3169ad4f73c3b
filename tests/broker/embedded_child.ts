/** A process with the embedded broker open: publishes and takes messages until it is killed. */
import { getLogger } from "@logtape/logtape";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";

const [path, topology] = JSON.parse(Deno.env.get("EMBEDDED")!);
const broker = await openEmbedded(path, { log: getLogger(["tickborg", "test"]), topology });
await broker.consume({ queue: "taken", prefetch: 3 }, () => new Promise(() => {}));
for (let n = 1;; n++) {
  const body = new TextEncoder().encode(`${n}`);
  await broker.publish(
    ["taken", "waits"].map((routingKey) => ({ exchange: "", routingKey, body })),
  );
  console.log(n);
}

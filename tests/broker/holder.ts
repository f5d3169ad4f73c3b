/** A process that takes one long delivery and keeps it until it is killed. */
import { getLogger } from "@logtape/logtape";
import { connectRabbitMq } from "../../lib/broker/rabbitmq/broker.ts";

const { vhost, times, topology } = JSON.parse(Deno.env.get("HOLDER")!);
const { name, ...place } = vhost;
const broker = await connectRabbitMq({ ...place, vhost: name }, {
  log: getLogger(["tickborg", "test"]),
  leaseTimes: times,
  topology,
});
await broker.consume({ queue: "long", prefetch: 1, withLease: true }, (delivery) => {
  console.log(`holds ${new TextDecoder().decode(delivery.body)}`);
  return new Promise(() => {});
});

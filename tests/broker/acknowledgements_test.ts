import assert from "node:assert/strict";
import { Acknowledgements } from "../../lib/broker/rabbitmq/acknowledgements.ts";

/** Deliveries 1 to 5 have come; what is sent is kept. */
function five() {
  const sent: { deliveryTag: number; multiple: boolean }[] = [];
  const acknowledgements = new Acknowledgements((ack) => sent.push(ack));
  for (let tag = 1; tag <= 5; tag++) acknowledgements.arrived(tag);
  return { acknowledgements, sent };
}

const nextTurn = () => new Promise(setImmediate);

Deno.test("what one turn settles is acknowledged in one frame", async () => {
  const { acknowledgements, sent } = five();
  for (const tag of [2, 1, 3]) acknowledgements.ack(tag);
  assert.deepEqual(sent, []);
  await nextTurn();
  assert.deepEqual(sent, [{ deliveryTag: 3, multiple: true }]);
});

Deno.test("a delivery that is still handled is not acknowledged with those after it", async () => {
  const { acknowledgements, sent } = five();
  for (const tag of [1, 2, 4, 5]) acknowledgements.ack(tag);
  await nextTurn();
  assert.deepEqual(sent, [
    { deliveryTag: 2, multiple: true },
    { deliveryTag: 4, multiple: false },
    { deliveryTag: 5, multiple: false },
  ]);
  acknowledgements.ack(3);
  await nextTurn();
  assert.deepEqual(sent.slice(3), [{ deliveryTag: 3, multiple: true }]);
});

Deno.test("a delivery that went back holds nothing up", async () => {
  const { acknowledgements, sent } = five();
  acknowledgements.forget(1);
  acknowledgements.ack(2);
  await nextTurn();
  assert.deepEqual(sent, [{ deliveryTag: 2, multiple: true }]);
});

Deno.test("a message that was asked for is acknowledged alone, and at once where the channel closes", () => {
  const { acknowledgements, sent } = five();
  acknowledgements.ack(9);
  acknowledgements.flush();
  assert.deepEqual(sent, [{ deliveryTag: 9, multiple: false }]);
});

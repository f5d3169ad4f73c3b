/** Long deliveries on RabbitMQ whose holder is away, slow, or dead. */
import assert from "node:assert/strict";
import { ack } from "../../lib/broker/broker.ts";
import { openInbox } from "../support/inbox.ts";
import { startProxy } from "../support/tcp_proxy.ts";
import { pause, until } from "../../testing/waiting.ts";
import {
  connect,
  expectNothingLeft,
  job,
  leased,
  long,
  story,
  TIMES,
  TOPOLOGY,
} from "./lease_harness.ts";

story(
  "a delivery settled while the connection is away is done when it comes back",
  async (vhost) => {
    await using proxy = startProxy(vhost.port);
    await using broker = await connect({ ...vhost, port: proxy.port });
    await broker.publish([job("job")]);
    await using inbox = await openInbox(broker, "long", long);
    const held = await inbox.next();
    await leased(vhost);
    proxy.cut();
    await until("the loss", () => broker.state !== "connected");
    held.settle(ack);
    proxy.mend();
    await until("the broker to be back", () => broker.state === "connected");
    await expectNothingLeft(vhost);
    assert.equal(inbox.unread, 0, "not run again");
  },
);

story("who was away too long loses the delivery to another, and is told", async (vhost) => {
  await using proxy = startProxy(vhost.port);
  await using away = await connect({ ...vhost, port: proxy.port });
  await using present = await connect(vhost);
  await present.publish([job("job")]);
  await using first = await openInbox(away, "long", long);
  const held = await first.next();
  await leased(vhost);
  await using second = await openInbox(present, "long", long);
  proxy.cut();
  const taken = await second.next();
  assert.equal(taken.text, "job");
  assert.equal(taken.redelivered, true);
  assert.equal(held.lost.aborted, false, "it cannot know yet");
  proxy.mend();
  await until("the holder to be told", () => held.lost.aborted);
  held.settle(ack);
  await present.publish([job("next")]);
  const next = await first.next();
  assert.equal(next.text, "next");
  next.settle(ack);
  taken.settle(ack);
  await expectNothingLeft(vhost);
});

story("a holder that is killed has its delivery taken up by another", async (vhost) => {
  await using broker = await connect(vhost);
  await broker.publish([job("job")]);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("holder.ts", import.meta.url).pathname],
    env: { HOLDER: JSON.stringify({ vhost, times: TIMES, topology: TOPOLOGY }) },
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  assert.match(new TextDecoder().decode((await output.read()).value), /holds job/);
  await leased(vhost);
  await using inbox = await openInbox(broker, "long", long);
  child.kill("SIGKILL");
  await child.status;
  await output.cancel();
  const taken = await inbox.next();
  assert.equal(taken.text, "job");
  assert.equal(taken.redelivered, true);
  assert.equal(taken.tries, 1);
  assert.equal(taken.exchange, "jobs");
  taken.settle(ack);
  await expectNothingLeft(vhost);
});

story(
  "whatever happens to connections, each delivery is done, and by no process twice at once",
  async (vhost) => {
    const done = new Set<string>();
    const faults: string[] = [];

    /** A process with two brokers' worth of trouble: it takes two deliveries at a time. */
    async function work(name: string, port: number): Promise<AsyncDisposable> {
      const running = new Set<string>();
      const broker = await connect({ ...vhost, port });
      const subscription = await broker.consume(
        { queue: "long", prefetch: 2, withLease: true },
        async ({ body, lost }) => {
          const text = new TextDecoder().decode(body);
          if (running.has(text)) faults.push(`${name} runs ${text} twice at once`);
          running.add(text);
          if (running.size > 2) faults.push(`${name} runs ${[...running]}`);
          await pause(Math.random() < 0.3 ? 20 : 2_500 * Math.random());
          running.delete(text);
          if (!lost.aborted) done.add(text);
          return ack;
        },
      );
      return {
        async [Symbol.asyncDispose]() {
          await subscription.cancel();
          await broker.close();
        },
      };
    }

    await using stable = await connect(vhost);
    const jobs = Array.from({ length: 60 }, (_, n) => `${n}`);
    await stable.publish(jobs.map(job));
    {
      await using one = startProxy(vhost.port);
      await using two = startProxy(vhost.port);
      await using _first = await work("first", one.port);
      await using _second = await work("second", two.port);
      for (let cut = 0; cut < 12 && done.size < jobs.length; cut++) {
        await pause(500 + 1_500 * Math.random());
        const proxy = cut % 2 === 0 ? one : two;
        proxy.cut();
        await pause(300 * Math.random());
        proxy.mend();
      }
      await until("every job to be done", () => done.size === jobs.length);
    }
    assert.deepEqual(faults, []);
    await expectNothingLeft(vhost);
  },
);

/** 100,000 malformed messages and 10,000 hostile requests leave every role up, and each is accounted for. */
import assert from "node:assert/strict";
import { withoutRabbitMq } from "../../../testing/rabbitmq.ts";
import { TIMEOUT_MS, until } from "../../../testing/waiting.ts";
import { planWork } from "../plan.ts";
import { Random } from "../random.ts";
import { Flood } from "./flood.ts";
import {
  ANY_REQUESTS,
  type HostileAnswer,
  type HostileRequest,
  LOG_REQUESTS,
  sendHostile,
  WEBHOOK_REQUESTS,
} from "./hostile_http.ts";
import { malformed } from "./malformed.ts";

const MESSAGES = 100_000;
const REQUESTS = 10_000;
/**
 * Messages and requests that come before memory is looked at for the first time: half of all, because a
 * process that keeps something of each grows as much in the second half as in the first, and a heap that
 * only finds its size does not.
 */
const WARM_UP = { messages: MESSAGES / 2, requests: REQUESTS / 2 };
/** Requests under way at once. */
const LANES = 100;
/** What a process may hold in the end, against what it held when it was warm. */
const GROWTH = { factor: 1.3, bytes: 40 * 1024 * 1024 };
/**
 * A process that has nothing to do collects no garbage, and on a busy machine more of it is left. So what holds
 * too much is given more work, so often: garbage goes by it, and what is kept becomes more.
 */
const MORE = { times: 10, messages: MESSAGES / 20, requests: REQUESTS / 20 };

/** A flood takes its time: only a hang misses this. */
const PATIENT = { ms: 3_600_000, everyMs: 100 };

/** Requests that a server understands well enough to answer. */
const ANSWERED = new Set(["path", "method", "range", "query", "no signature", "signature"]);

Deno.test({
  name: "a flood of malformed messages and hostile requests leaves every role up and memory flat",
  ignore: withoutRabbitMq(),
  async fn(t) {
    await using flood = await Flood.start();
    const pids = flood.fleet.instances.map(({ pid }) => pid);
    const random = new Random(4);
    await drown(flood, { from: 0, to: WARM_UP.messages, random });
    await bombard(flood, WARM_UP.requests, random);
    const before = await flood.memory();

    await t.step(`${MESSAGES} malformed messages are in the dead letters, each once`, async () => {
      await drown(flood, { from: WARM_UP.messages, to: MESSAGES, random });
      assert.deepEqual(flood.odd, []);
      assert.equal(Math.max(...flood.dead.values()), 1);
    });

    await t.step(`${REQUESTS} hostile requests get nothing`, async () => {
      await bombard(flood, REQUESTS - WARM_UP.requests, random);
    });

    await t.step("every role is still the same process, and no larger", async () => {
      assert.deepEqual(flood.fleet.instances.flatMap(({ crashes }) => crashes), []);
      assert.deepEqual(flood.fleet.instances.map(({ pid }) => pid), pids);
      let sizes = await sizesSince(flood, before);
      for (let more = 0; more < MORE.times && !sizes.every(fits); more++) {
        const from = MESSAGES + more * MORE.messages;
        await drown(flood, { from, to: from + MORE.messages, random });
        await bombard(flood, MORE.requests, random);
        sizes = await sizesSince(flood, before);
      }
      const shown = sizes.map(({ name, bytes, from }) =>
        `${name.padEnd(28)}${Math.round(from / 2 ** 20)} → ${Math.round(bytes / 2 ** 20)} MiB`
      ).join("\n");
      assert.ok(sizes.every(fits), `Memory grows with the flood:\n${shown}`);
      console.log(shown);
    });

    await t.step("a pull request is built as ever", async () => {
      const plan = { ...planWork(1, 0), kind: "pull request" as const, draft: false };
      flood.world.begin({ index: 0, kind: plan.kind, draft: false, first: plan.first });
      const inspector = flood.inspector();
      await until(
        async () => JSON.stringify(await inspector.amiss()),
        async () => (await inspector.amiss()).length === 0,
        PATIENT,
      );
    });
  },
});

/** What a process holds now, and what it held when it was warm, in bytes. */
interface Size {
  readonly name: string;
  readonly bytes: number;
  readonly from: number;
}

async function sizesSince(flood: Flood, before: ReadonlyMap<string, number>): Promise<Size[]> {
  return [...await flood.memory()].map(([name, bytes]) => ({
    name,
    bytes,
    from: before.get(name)!,
  }));
}

function fits({ bytes, from }: Size): boolean {
  return bytes <= GROWTH.factor * from + GROWTH.bytes;
}

/** Publishes malformed messages and waits until every one is a dead letter. */
async function drown(
  flood: Flood,
  { from, to, random }: { from: number; to: number; random: Random },
): Promise<void> {
  await flood.publish((function* () {
    for (let id = from; id < to; id++) yield malformed(id, random);
  })());
  const what = () => `${flood.dead.size} of ${to} dead letters`;
  await until(what, () => flood.dead.size >= to, PATIENT);
}

/** Sends hostile requests to both servers, and honest ones that must be answered meanwhile. */
async function bombard(flood: Flood, count: number, random: Random): Promise<void> {
  const [receiver, logs] = [flood.fleet.receiverPorts[0]!, flood.fleet.logPorts[0]!];
  const honest = async () => {
    // GitHub gives up after ten seconds; a busy machine may take longer.
    await until("an honest answer", async () => {
      const delivery = await flood.world.github.deliver("ping", {
        zen: "Keep it logically awesome.",
      });
      return delivery!.statusCode >= 200 && delivery!.statusCode < 300;
    }, PATIENT);
    await until("the collector to be well", async () => {
      const health = await fetch(`http://127.0.0.1:${logs}/health`);
      return (await health.json()).status === "ok";
    }, PATIENT);
  };
  let left = count;
  const lane = async () => {
    while (left-- > 0) {
      const toLogs = random.chance(0.5);
      const makers = [...ANY_REQUESTS, ...(toLogs ? LOG_REQUESTS : WEBHOOK_REQUESTS)];
      const request = random.pick(makers)(random);
      // What must be answered is waited for.
      const holdMs = ANSWERED.has(request.name) ? TIMEOUT_MS : request.holdMs;
      assertAnswer(request, await sendHostile(toLogs ? logs : receiver, { ...request, holdMs }));
      if (left % 500 === 0) await honest();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await honest();
}

/** No hostile request is accepted, and none makes a role fail. */
function assertAnswer({ name }: HostileRequest, { status, text }: HostileAnswer): void {
  const shown = `${name}: ${status}: ${text.slice(0, 300)}`;
  assert.ok(!text.includes("root:"), shown);
  if (typeof status !== "number") assert.ok(!ANSWERED.has(name), shown);
  // The page that shows logs is the same whatever is asked for; nothing of it comes from the address.
  else if (name === "query") assert.ok(status === 200 || status >= 400, shown);
  else assert.ok(status >= 400 && (status < 500 || status === 503), shown);
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Publication } from "../../lib/broker/broker.ts";
import { openEmbedded } from "../../lib/broker/embedded/broker.ts";
import { roleLogger } from "../../lib/runtime/log.ts";
import { QUEUE } from "../../lib/broker/topology.ts";
import { within } from "../../testing/waiting.ts";
import { batch, deadLetters, KEY, log, single, wire } from "./log_messages.ts";

/** Messages of some attempts as three builders would send them, with some disorder and repetition. */
function traffic(
  attempts: number,
  lines: number,
): { messages: Publication[]; texts: Map<string, string> } {
  const messages: Publication[] = [];
  const texts = new Map<string, string>();
  const print = (id: string, number: number) => `${id} line ${number} äöü`;
  for (let index = 0; index < attempts; index++) {
    const id = `attempt-${index}`;
    const own: Publication[] = [];
    for (let number = 1; number <= lines; number += 10) {
      if (index % 2 === 0) {
        own.push(batch(id, number, Array.from({ length: 10 }, (_, at) => print(id, number + at))));
      } else {for (let at = 0; at < 10; at++) {
          own.push(single(id, number + at, print(id, number + at)));
        }}
    }
    for (let at = 7; at < own.length; at += 20) {
      own.splice(at - 5, 0, own[at]!, own.splice(at, 1)[0]!);
    }
    messages.push(...own);
    texts.set(id, Array.from({ length: lines }, (_, at) => `${print(id, at + 1)}\n`).join(""));
    const result = JSON.parse(new TextDecoder().decode(wire("build_result_v1").body));
    messages.push(log({ ...result, attempt_id: id, log_lines: lines }));
  }
  return { messages, texts };
}

/** Runs a collector that dies when that many bytes are written; resolves to how it ended. */
async function collect(path: string, root: string, deadAt: number): Promise<string> {
  const script = fileURLToPath(new URL("../support/collector_process.ts", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", script, path, root, KEY, `${deadAt}`],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    const { signal, code } = await within("the collector's end", child.status);
    return signal ?? `${code}`;
  } catch (error) {
    child.kill("SIGKILL");
    await child.status;
    throw error;
  }
}

/** Times that the collector is killed, the work being spread over them. */
const KILLS = 6;

Deno.test("A collector that is killed again and again loses no line and writes none twice", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "broker.sqlite");
    const root = join(folder, "logs");
    const { messages, texts } = traffic(6, 3_000);
    const filling = await openEmbedded(path, { log: roleLogger("test.broker") });
    for (let at = 0; at < messages.length; at += 500) {
      await filling.publish(messages.slice(at, at + 500));
    }
    await filling.close();
    const bytes = new TextEncoder().encode([...texts.values()].join("")).length;
    for (let kill = 1; kill <= KILLS; kill++) {
      const deadAt = Math.round(bytes * kill / (KILLS + 1));
      assert.equal(await collect(path, root, deadAt), "SIGKILL", `kill ${kill}`);
    }
    assert.equal(await collect(path, root, Infinity), "0");
    for (const [id, text] of texts) {
      assert.equal(await Deno.readTextFile(join(root, KEY, id)), text, id);
    }
    assert.deepEqual([...Deno.readDirSync(join(root, ".open"))], []);
    const looking = await openEmbedded(path, { log: roleLogger("test.broker") });
    assert.deepEqual(await deadLetters(looking), []);
    assert.equal((await looking.inspect(QUEUE.logs))!.ready, 0);
    await looking.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** `tickborg all`: every role in one process, over RabbitMQ as over the embedded broker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { hostSystem } from "../../lib/messages/systems.ts";
import { startFleet } from "../../testing/fleet.ts";
import { startRabbitMq, type Vhost, withoutRabbitMq } from "../../testing/rabbitmq.ts";
import { startRole } from "../support/role_process.ts";
import { tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

/** Starts `all`, has a pull request built, stops it. */
async function buildOnce(vhost?: Vhost): Promise<void> {
  await using fleet = await startFleet({
    files: { "a/x": "1\n" },
    projects: [{ name: "a", path: "a", build_system: { Custom: { command: "cat x" } } }],
    roles: [],
    ...(vhost && { vhost }),
  });
  const all = startRole("all", fleet.configPath);
  try {
    await all.ready;
    const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
    await fleet.expectCheck(pull, `a on ${hostSystem()}`, "success");
    const tokens = fleet.github.requests.filter((request) => request.includes("access_tokens"));
    assert.equal(tokens.length, 1, "roles of one process share a token, and so a limit on writes");
    assert.equal(await all.stop(), 0, all.log());
    assert.match(all.log(), / Stopped\b/);
  } finally {
    await all.kill();
  }
}

Deno.test("all builds a pull request on the embedded broker, and stops in good order", () =>
  buildOnce());

Deno.test({
  name: "all builds a pull request over RabbitMQ, and stops in good order",
  ignore: withoutRabbitMq(),
  async fn() {
    await using server = await startRabbitMq();
    await buildOnce(await server.vhost());
  },
});

Deno.test("an address that is taken ends all with one line that says so, once", () =>
  inFolder(async (folder) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const path = join(folder, "config.json");
    const listen = `127.0.0.1:${taken.addr.port}`;
    const runner = { identity: "laptop", repos: ["a/b"] };
    await Deno.writeTextFile(path, JSON.stringify({ runner, stats: { listen } }));
    const { code, err } = await tickborg(["all", "--config", path], { cwd: folder });
    assert.equal(code, 2);
    assert.equal(err.split("Address already in use").length, 2, err);
    assert.match(err, new RegExp(`^Cannot listen on ${listen} for stats: Address`, "m"));
  }));

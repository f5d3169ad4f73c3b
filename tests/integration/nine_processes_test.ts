/** The nine roles as nine processes over a real RabbitMQ, as a fleet runs them. */
import assert from "node:assert/strict";
import { hostSystem } from "../../lib/systems.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { startFleet } from "../support/fleet.ts";
import { startRole } from "../support/role_process.ts";
import { startRabbitMq, withoutRabbitMq } from "../support/rabbitmq.ts";

Deno.test("nine processes carry a pull request from webhook to check run", {
  ignore: withoutRabbitMq(),
}, async () => {
  await using server = await startRabbitMq();
  const fleet = await startFleet({
    files: { "a/x": "1\n" },
    projects: [{
      name: "a",
      path: "a",
      build_system: { Custom: { command: "cat x" } },
      labels: ["a"],
    }],
    vhost: await server.vhost(),
    roles: [],
  });
  const processes = ROLE_NAMES.map((role) => startRole(role, fleet.configPath));
  try {
    await Promise.all(processes.map((process) => process.ready));
    const pull = await fleet.openPullRequest({ files: { "a/x": "2\n" } });
    const check = await fleet.expectCheck(pull, `a on ${hostSystem()}`, "success");
    assert.match(await fleet.log(check), /^2$/m);
    assert.deepEqual(pull.labels, ["a"]);
    const codes = await Promise.all(processes.map((process) => process.stop()));
    assert.deepEqual(codes, ROLE_NAMES.map(() => 0));
  } finally {
    await Promise.all(processes.map((process) => process.kill()));
    await fleet.close();
  }
});

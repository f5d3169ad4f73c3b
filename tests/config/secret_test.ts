import assert from "node:assert/strict";
import { parseConfig, rabbitMqOf, readSecret, secretPath } from "../../lib/config/config.ts";

Deno.test("A secret is found by its path or by the name of a credential", () => {
  assert.equal(secretPath("/etc/tickborg/password", "/run/credentials"), "/etc/tickborg/password");
  assert.equal(secretPath("credential:password", "/run/credentials"), "/run/credentials/password");
});

Deno.test("A credential's name cannot leave its folder", () => {
  for (const name of ["", ".", "..", "../x", "a/b", "a\0b", "a\nb", "-x"]) {
    assert.throws(() => secretPath(`credential:${name}`, "/run/credentials"), {
      name: "ConfigError",
      message: /expected credential:<name of a file>/,
    });
  }
});

Deno.test("A credential without a folder says which variable is missing, and for which key", async () => {
  assert.throws(() => secretPath("credential:password", ""), /CREDENTIALS_DIRECTORY is not set/);
  if (Deno.env.has("CREDENTIALS_DIRECTORY")) return;
  await assert.rejects(readSecret("credential:password", "rabbitmq.password_file"), {
    name: "ConfigError",
    message: /^rabbitmq\.password_file: credential:password: CREDENTIALS_DIRECTORY is not set/,
  });
});

Deno.test("{role} in the broker user's name is the role's, so that one configuration serves them all", () => {
  const config = parseConfig({
    rabbitmq: { host: "mq", username: "tickborg-{role}", password_file: "credential:password" },
    builder: { rabbitmq: { host: "mq", username: "mac", password_file: "/p" } },
    mass_rebuilder: {},
    runner: { identity: "x", repos: [] },
  });
  assert.equal(rabbitMqOf(config, "mass_rebuilder")!.username, "tickborg-mass-rebuilder");
  assert.equal(rabbitMqOf(config, "builder")!.username, "mac");
  assert.equal(rabbitMqOf(config, "runner")!.username, "tickborg-operator");
});

import assert from "node:assert/strict";
import { parseConfig, rabbitMqOf } from "../../lib/config/config.ts";
import { authorityFiles, readSecret, secretFiles, secretPath } from "../../lib/config/secrets.ts";

Deno.test("A secret is found by its path or by the name of a credential", () => {
  assert.equal(secretPath("/etc/tickborg/password", "/run/credentials"), "/etc/tickborg/password");
  assert.equal(secretPath("credential:password", "/run/credentials"), "/run/credentials/password");
});

Deno.test("A credential's name cannot leave its folder", () => {
  for (const name of ["", ".", "..", "../x", "a/b", "a\0b", "a\nb", "-x"]) {
    assert.throws(() => secretPath(`credential:${name}`, "/run/credentials"), {
      name: "ConfigError",
      message: /expected credential:<file name>/,
    });
  }
});

Deno.test({
  name: "A credential without a folder says which variable is missing, and for which key",
  ignore: Deno.env.has("CREDENTIALS_DIRECTORY"),
  async fn() {
    assert.throws(() => secretPath("credential:password", ""), /CREDENTIALS_DIRECTORY is not set/);
    await assert.rejects(readSecret("credential:password", "rabbitmq.password_file"), {
      name: "ConfigError",
      message: /^rabbitmq\.password_file: credential:password: CREDENTIALS_DIRECTORY is not set/,
    });
  },
});

Deno.test("Every secret is known by its key, and authorities are none", () => {
  const mq = { host: "mq", username: "tickborg", password_file: "/common" };
  const config = parseConfig({
    rabbitmq: mq,
    builder: { rabbitmq: { ...mq, password_file: "/builder", ssl: true, ca_file: "/ca.pem" } },
    github_webhook_receiver: { webhook_secret_file: "/webhook" },
    github_app: { app_id: 1, private_key: "/app", oauth_client_secret_file: "/oauth" },
    runner: { identity: "x", repos: [] },
  });
  assert.deepEqual(secretFiles(config), [
    { key: "rabbitmq.password_file", path: "/common" },
    { key: "builder.rabbitmq.password_file", path: "/builder" },
    { key: "github_webhook_receiver.webhook_secret_file", path: "/webhook" },
    { key: "github_app.private_key", path: "/app" },
    { key: "github_app.oauth_client_secret_file", path: "/oauth" },
  ]);
  assert.deepEqual(authorityFiles(config), [{ key: "builder.rabbitmq.ca_file", path: "/ca.pem" }]);
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

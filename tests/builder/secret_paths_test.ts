/** What no build may see, found in a configuration. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { makeSecretPaths, secretPaths } from "../../lib/builder/sandbox/secret_paths.ts";
import { loadConfig, parseConfig } from "../../lib/config/config.ts";
import { removeTree } from "../../lib/builder/checkout/remove_tree.ts";

Deno.test("of the example configuration every secret, database, log and clone is hidden", async () => {
  const path = new URL("../../example.config.json", import.meta.url).pathname;
  const config = await loadConfig(path);
  const places = [
    path,
    "/var/lib/tickborg/broker.sqlite",
    "/var/lib/tickborg/broker.sqlite-wal",
    "/var/lib/tickborg/broker.sqlite-shm",
    "/var/log/tickborg",
    "/var/cache/tickborg/repositories",
    "/var/cache/tickborg/jobs",
  ];
  // Credentials that systemd has not loaded are not on this machine.
  assert.deepEqual(secretPaths(config, undefined).sort(), places.toSorted());
  const loaded = ["rabbitmq-password", "webhook-secret", "github-app-key", "oauth-client-secret"]
    .map((name) => `/run/credentials/tickborg-builder.service/${name}`);
  assert.deepEqual(
    secretPaths(config, "/run/credentials/tickborg-builder.service").sort(),
    [...places, ...loaded].sort(),
  );
});

Deno.test("each role's own password is hidden, and what a builder is yet to make is there to be hidden", async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-secrets-" });
  try {
    const rabbitmq = (password_file: string) => ({
      ssl: false,
      host: "localhost",
      username: "u",
      password_file,
    });
    const config = parseConfig({
      rabbitmq: rabbitmq("/opt/tickborg/common"),
      builder: { rabbitmq: rabbitmq("/opt/tickborg/builder") },
      stats: { rabbitmq: rabbitmq("/opt/tickborg/stats") },
      runner: { identity: "i", repos: [] },
      build: { system: "x86_64-linux" },
      checkout: { root: join(root, "checkout") },
    });
    await makeSecretPaths(config);
    const places = secretPaths(config, undefined);
    for (const name of ["common", "builder", "stats"]) {
      assert.ok(places.includes(`/opt/tickborg/${name}`), name);
    }
    const made = places.filter((place) => place.startsWith(root));
    assert.deepEqual(made, ["repositories", "jobs"].map((name) => join(root, "checkout", name)));
    for (const place of made) assert.ok((await Deno.stat(place)).isDirectory, place);
  } finally {
    await removeTree(root);
  }
});

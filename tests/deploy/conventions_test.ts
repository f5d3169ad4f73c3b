/** Whatever names roles or ports agrees with the role table: one missing or wrong anywhere fails here. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import * as z from "zod";
import { loadConfig, rabbitMqOf } from "../../lib/config/config.ts";
import { ConfigSchema } from "../../lib/config/schema.ts";
import { CREDENTIAL, credentialsOf, LAYOUT } from "../../deploy/files/layout.ts";
import { launchers } from "../../deploy/files/installation.ts";
import { unitName } from "../../deploy/files/units.ts";
import { listenAddress } from "../../lib/config/listen.ts";
import { ROLE_NAMES, roleOf } from "../../services/roles.ts";
import { requireSections } from "../../services/start.ts";
import { repositoryFile, repositoryPath } from "./tools.ts";

/** Role names that a text has in a place that a pattern finds, in order of the alphabet. */
function rolesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name]) => name!)
    .filter((name) => name !== "tickborg" && name !== "default").sort();
}

const all: string[] = [...ROLE_NAMES].sort();

Deno.test("every place that lists the roles lists all of them and no other", () => {
  const denoJson = JSON.parse(repositoryFile("deno.json"));
  const between = (path: string, from: string, to: string) => {
    const text = repositoryFile(path);
    const start = text.indexOf(from);
    assert.notEqual(start, -1, `${path} has no ${from}`);
    return text.slice(start, text.indexOf(to, start));
  };
  const compose: { services: Record<string, { command?: string }> } = parse(
    repositoryFile("docker-compose.yml"),
    { merge: true },
  );
  const commands = Object.values(compose.services).map(({ command }) => command ?? "");
  const places: Record<string, string[]> = {
    "deno.json, permissions": Object.keys(denoJson.permissions).sort(),
    "deno.json, tasks": Object.keys(denoJson.tasks).filter((name) => all.includes(name)).sort(),
    "service.nix": rolesIn(between("service.nix", "roles = {", "\n  };"), /^ {4}([a-z-]+) = \{/gm),
    "flake.nix": rolesIn(between("flake.nix", "roles = [", "];"), /"([a-z-]+)"/g),
    "docker-compose.yml": commands.filter((command) => /^[a-z-]+$/.test(command)).sort(),
    "deploy/systemd": [...Deno.readDirSync(repositoryPath("deploy/systemd"))]
      .map(({ name }) => /^tickborg-(.*)\.service$/.exec(name)?.[1]).filter((name) => name)
      .sort() as string[],
    "deploy/rabbitmq/definitions.json": rolesIn(
      repositoryFile("deploy/rabbitmq/definitions.json"),
      /"user": "tickborg-(?!operator)([a-z-]+)"/g,
    ),
    "launchers": [...launchers("/p").keys()].filter((name) =>
      name !== "healthcheck" && name !== "tickborg"
    ).sort(),
    "docs/deployment.md, table": rolesIn(
      between("docs/deployment.md", "| role ", "\n\n"),
      /^\| `([a-z-]+)` +\|/gm,
    ),
    "docs/deployment.md, NixOS": rolesIn(
      between("docs/deployment.md", "services = {", "};"),
      /^ +([a-z-]+) = true;/gm,
    ),
    "docs/deployment.md, units": rolesIn(
      between("docs/deployment.md", "systemctl enable", "```"),
      /tickborg-([a-z-]+)/g,
    ),
  };
  for (const [place, roles] of Object.entries(places)) assert.deepEqual(roles, all, place);
  const readme = repositoryFile("README.md");
  for (const name of ROLE_NAMES) assert.ok(readme.includes(name), `README.md lacks ${name}`);
});

Deno.test("the document's table has each role's port and programs, and no others", () => {
  const rows = repositoryFile("docs/deployment.md").split("\n");
  for (const name of ROLE_NAMES) {
    const [, , needs, port, secrets] = rows.find((row) => row.startsWith(`| \`${name}\``))!
      .split("|").map((cell) => cell.trim());
    assert.equal(port, `${roleOf(name).port ?? ""}`, name);
    assert.equal(needs!.includes("git"), roleOf(name).programs.includes("git"), name);
    assert.equal(needs!.includes("bubblewrap"), roleOf(name).programs.includes("bwrap"), name);
    const names = credentialsOf(name).map((credential) => credential.name);
    assert.equal(secrets!.includes("webhook secret"), names.includes(CREDENTIAL.webhook), name);
    assert.equal(secrets!.includes("App's key"), names.includes(CREDENTIAL.app), name);
  }
});

Deno.test("a role listens on the table's port unless configured otherwise", () => {
  const secret = { webhook_secret_file: "/s" };
  const config = ConfigSchema.parse({
    github_webhook_receiver: secret,
    log_message_collector: { logs_path: "/l" },
    stats: {},
    runner: { identity: "x", repos: [] },
  });
  for (const name of ROLE_NAMES) {
    const { port, section } = roleOf(name);
    if (port === undefined) continue;
    assert.equal(listenAddress({ section }, config), `0.0.0.0:${port}`, name);
  }
});

Deno.test("the example configuration can be used by every role, and with the shipped units", async () => {
  const config = await loadConfig(repositoryPath("example.config.json"));
  for (const name of ROLE_NAMES) {
    requireSections(name, config);
    const { port, section } = roleOf(name);
    assert.equal(rabbitMqOf(config, section)!.username, `tickborg-${name}`);
    assert.equal(rabbitMqOf(config, section)!.password_file, `credential:${CREDENTIAL.broker}`);
    if (port !== undefined) {
      assert.equal(listenAddress({ section }, config), `127.0.0.1:${port}`);
    }
  }
  assert.equal(
    config.github_webhook_receiver!.webhook_secret_file,
    `credential:${CREDENTIAL.webhook}`,
  );
  assert.equal(config.github_app!.private_key, `credential:${CREDENTIAL.app}`);
  assert.equal(config.checkout!.root, LAYOUT.checkouts);
  assert.equal(config.log_message_collector!.logs_path, LAYOUT.logs);
  assert.equal(config.log_api_config!.logs_path, LAYOUT.logs);
});

Deno.test("the example configuration has every key there is", () => {
  const example = JSON.parse(repositoryFile("example.config.json"));
  // One role's own broker shows how it is done, authority and all; $schema is for editors.
  const shown = new Set(["$schema", "rabbitmq.ca_file"]);
  const missing = keysOf(ConfigSchema, [example]).filter((path) => {
    if (shown.has(path)) return false;
    return !/^(?!builder\.)[a-z_]+\.rabbitmq$/.test(path);
  });
  assert.deepEqual(missing, []);
});

/** Paths of keys that a schema knows and none of the values has. */
function keysOf(schema: z.core.$ZodType, values: readonly unknown[], path = ""): string[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) {
    return keysOf(inner.element as z.core.$ZodType, values.flat(), path);
  }
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(inner.shape).flatMap(([key, part]) => {
    const at = path === "" ? key : `${path}.${key}`;
    const found = values.filter((value) => value instanceof Object && Object.hasOwn(value, key))
      .map((value) => (value as Record<string, unknown>)[key]);
    return found.length === 0 ? [at] : keysOf(part as z.core.$ZodType, found, at);
  });
}

/** The schema behind what makes it optional or gives it a default. */
function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  while (
    inner instanceof z.ZodOptional || inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault
  ) inner = inner.unwrap();
  return inner;
}

Deno.test("every role has its unit", () => {
  const units = [...Deno.readDirSync(repositoryPath("deploy/systemd"))].map(({ name }) => name);
  for (const name of ROLE_NAMES) assert.ok(units.includes(unitName(name)), name);
});

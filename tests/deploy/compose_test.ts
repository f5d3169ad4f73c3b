import assert from "node:assert/strict";
import { parse } from "yaml";
import {
  credentialsOf,
  hasCheckouts,
  hasLogStore,
  startsSandboxes,
} from "../../deploy/files/layout.ts";
import { ROLE_NAMES, type RoleName, roleOf } from "../../services/roles.ts";
import { repositoryFile, repositoryPath, run, succeed, without } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

/** A service as the compose file has it, anchors resolved. */
interface Service {
  readonly build?: string | { context: string; target: string };
  readonly image: string;
  readonly command?: string;
  readonly ports?: string[];
  readonly environment: Record<string, string>;
  readonly volumes: string[];
  readonly depends_on?: Record<string, { condition: string }>;
  readonly secrets?: { source: string; target: string }[];
  readonly healthcheck?: { test: string[] };
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: string[];
  readonly security_opt?: string[];
  readonly entrypoint?: string[];
}

interface Compose {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, null>;
  readonly secrets: Record<string, { file: string }>;
}

const compose: Compose = parse(repositoryFile("docker-compose.yml"), { merge: true });

/** The document's service of each role (`docs/deployment.md`, "Docker Compose"), and push-filter. */
const SERVICES: Record<RoleName, string> = {
  "github-webhook-receiver": "webhook-receiver",
  "evaluation-filter": "evaluation-filter",
  "push-filter": "push-filter",
  "github-comment-filter": "comment-filter",
  "mass-rebuilder": "mass-rebuilder",
  "builder": "builder",
  "github-comment-poster": "comment-poster",
  "log-message-collector": "log-collector",
  "stats": "stats",
};

Deno.test({
  name: "docker-compose accepts the file, and refuses it without the broker's password",
  ignore: without("docker-compose"),
  fn: () =>
    inFolder(async (folder) => {
      await Deno.copyFile(repositoryPath("docker-compose.yml"), `${folder}/docker-compose.yml`);
      const env = { RABBITMQ_DEFAULT_PASS: "secret" };
      const text = await succeed(["docker-compose", "config"], { cwd: folder, env });
      const services = parse(text).services;
      // Whether services of a profile are shown depends on the version.
      const fleet = (names: string[]) => names.filter((name) => name !== "operator").sort();
      assert.deepEqual(fleet(Object.keys(services)), fleet(Object.keys(compose.services)));
      const { code, stderr } = await run(["docker-compose", "config"], { cwd: folder });
      assert.notEqual(code, 0);
      assert.match(stderr, /deploy\/compose\.sh/);
    }),
});

Deno.test({
  name: "docker-compose refuses a file that is wrong, so that the check above can fail",
  ignore: without("docker-compose"),
  fn: () =>
    inFolder(async (folder) => {
      const text = repositoryFile("docker-compose.yml").replace("read_only: true", "read_only: 3");
      await Deno.writeTextFile(`${folder}/docker-compose.yml`, text);
      const env = { RABBITMQ_DEFAULT_PASS: "secret" };
      const { code } = await run(["docker-compose", "config", "-q"], { cwd: folder, env });
      assert.notEqual(code, 0);
    }),
});

Deno.test("every role has its service, under the document's name, with its own command and port", () => {
  assert.deepEqual(
    Object.keys(compose.services).sort(),
    [...Object.values(SERVICES), "operator", "rabbitmq", "rabbitmq-setup"].sort(),
  );
  for (const name of ROLE_NAMES) {
    const service = compose.services[SERVICES[name]]!;
    const { port } = roleOf(name);
    assert.equal(service.command, name);
    assert.deepEqual(service.ports ?? [], port === undefined ? [] : [`${port}:${port}`], name);
    const check = port === undefined
      ? undefined
      : ["CMD", "/opt/tickborg/bin/healthcheck", `${port}`];
    assert.deepEqual(service.healthcheck?.test, check, name);
    assert.equal(service.environment.CONFIG_PATH, "/config/config.json");
    assert.match(service.environment.RUST_LOG!, /info/);
    assert.ok(service.volumes.includes("./config:/config:ro"), name);
    assert.equal(service.depends_on!.rabbitmq!.condition, "service_healthy");
    assert.equal(
      service.depends_on!["rabbitmq-setup"]!.condition,
      "service_completed_successfully",
    );
  }
  assert.deepEqual(compose.services.rabbitmq!.ports, ["5672:5672", "15672:15672"]);
  assert.equal(compose.services.rabbitmq!.image, "rabbitmq:3-management");
});

Deno.test("every container is locked: no user, no capability, nothing writable but what it keeps", () => {
  for (const name of ROLE_NAMES) {
    const service = compose.services[SERVICES[name]]!;
    assert.equal(service.user, "10001:10001", name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.ok(service.security_opt!.includes("no-new-privileges:true"), name);
    const loosened = service.security_opt!.filter((option) => option.endsWith("unconfined"));
    assert.equal(loosened.length > 0, startsSandboxes(name), name);
    const kept = service.volumes.filter((volume) => !volume.endsWith(":ro"));
    const expected = [
      ...(hasCheckouts(name)
        ? [`${name === "builder" ? "builder" : "checkout"}-cache:/var/cache/tickborg`]
        : []),
      ...(hasLogStore(name) ? ["log-data:/var/log/tickborg"] : []),
    ];
    assert.deepEqual(kept, expected, name);
  }
});

Deno.test("a container is given its role's secrets and no others", () => {
  for (const name of ROLE_NAMES) {
    const given = compose.services[SERVICES[name]]!.secrets!.map(({ source, target }) => ({
      name: target,
      source: compose.secrets[source]!.file.replace("./secrets/", ""),
    }));
    assert.deepEqual(given, credentialsOf(name), name);
  }
  const setup = compose.services["rabbitmq-setup"]!;
  assert.deepEqual(
    setup.secrets!.map(({ target }) => target).sort(),
    [...ROLE_NAMES, "operator", "tickborg"].sort(),
  );
});

Deno.test("preparing makes configuration and secrets once, and what it makes can be used", () =>
  inFolder(async (folder) => {
    const prepare = () => succeed(["sh", repositoryPath("deploy/compose.sh")], { cwd: folder });
    assert.match(await prepare(), /Made config\/config\.json/);
    const made = await Deno.readTextFile(`${folder}/config/config.json`);
    const { parseConfig } = await import("../../lib/config/config.ts");
    const config = parseConfig(JSON.parse(made));
    assert.equal(config.rabbitmq!.host, "rabbitmq:5672");
    assert.equal(config.builder!.rabbitmq!.host, "rabbitmq:5672");
    assert.equal(config.github_webhook_receiver!.listen, "0.0.0.0:8080");
    assert.equal(config.runner.instance, undefined);
    for (const { file } of Object.values(compose.secrets)) {
      if (file.endsWith("github-app-key")) continue;
      const { size } = await Deno.stat(`${folder}/${file}`);
      assert.equal(size, 64, file);
    }
    assert.match(
      await Deno.readTextFile(`${folder}/.env`),
      /^RABBITMQ_DEFAULT_PASS=[0-9a-f]{64}\n$/,
    );
    assert.equal((await Deno.stat(`${folder}/secrets`)).mode! & 0o777, 0o700);

    const secret = await Deno.readTextFile(`${folder}/secrets/webhook-secret`);
    await Deno.writeTextFile(`${folder}/config/config.json`, "mine");
    await prepare();
    assert.equal(await Deno.readTextFile(`${folder}/secrets/webhook-secret`), secret);
    assert.equal(await Deno.readTextFile(`${folder}/config/config.json`), "mine");
  }));

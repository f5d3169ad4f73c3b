/** A secret that was pasted into the configuration is never printed, wherever it stands and whoever reads it. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { parseConfig, readConfig } from "../../lib/config/config.ts";
import example from "../../example.config.json" with { type: "json" };
import { type Ran, tickborg } from "./run.ts";
import { inFolder } from "../support/in_folder.ts";

const MARKER = "Zq7xMARK3rKw9";
const pem = generateKeyPairSync("rsa", {
  modulusLength: 1024,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;
const [first, second, ...rest] = pem.split("\n");

/** Secrets as people paste them; each holds the marker. */
const SECRETS = {
  "a key": [first, `${second!.slice(0, 40)}${MARKER}`, ...rest].join("\n"),
  "a key on one line": [first, `${second!.slice(0, 40)}${MARKER}`, ...rest].join(" "),
  "a key without its end": `${first}\n${second!.slice(0, 40)}${MARKER}`,
  "a token": `ghp_${MARKER}0123456789abcdefghij`,
  "a fine-grained token": `github_pat_11AAAA_${MARKER}0123456789abcdefghij`,
  "a token of an installation": `ghs_${MARKER}0123456789abcdefghij`,
  "a login without an address": `user:${MARKER}@mq.example.com`,
  "an address": `amqp://user:${MARKER}@mq.example.com`,
};

/** What stands only where the name of a secret's file belongs, and looks like nothing in particular. */
const PASSWORDS = {
  "a password": `${MARKER}!`,
  "base64": `aB3/${MARKER}+yZ/Yw==`,
  "two lines": `a\n${MARKER}`,
  "a password with a slash": `Tr0/${MARKER}&`,
  "base64 that begins with a slash": `/9${MARKER}AAQSkZJRg/ABAQAA==`,
};

const FILE_KEYS = [
  "rabbitmq.password_file",
  "github_webhook_receiver.webhook_secret_file",
  "github_app.private_key",
  "github_app.oauth_client_secret_file",
  "builder.rabbitmq.password_file",
];

type Path = readonly (string | number)[];

/** The place of every text in a value. */
function texts(value: unknown, path: Path = []): Path[] {
  if (typeof value === "string") return [path];
  if (!(value instanceof Object)) return [];
  return Object.entries(value).flatMap(([key, part]) =>
    texts(part, [...path, Array.isArray(value) ? Number(key) : key])
  );
}

/** The example with another value at a place. */
function planted(path: Path, value: unknown): unknown {
  const file = structuredClone(example) as unknown;
  // deno-lint-ignore no-explicit-any
  const parent = path.slice(0, -1).reduce((at: any, part) => at[part], file);
  parent[path.at(-1)!] = value;
  return file;
}

/** What parsing says; empty where nothing is wrong. */
function complaint(file: unknown): string {
  try {
    parseConfig(file);
    return "";
  } catch (error) {
    return Deno.inspect(error);
  }
}

Deno.test("no mistake in a configuration quotes a secret, at any of its keys", () => {
  const places = texts(example).filter(([top]) => top !== "$schema");
  assert.ok(places.length > 40, `${places.length}`);
  for (const path of places) {
    for (const [kind, secret] of Object.entries(SECRETS)) {
      const key = path.join(".");
      // A project's words are anything; only what is a secret for certain is told from them.
      if (path[0] === "projects" && kind === "a login without an address") continue;
      // As a text, and in place of the object that it stands in, and as a key's name.
      for (
        const file of [
          planted(path, secret),
          planted(path, { [secret]: secret }),
          planted(path.slice(0, 1), [secret]),
        ]
      ) {
        assert.ok(!complaint(file).includes(MARKER), `${kind} at ${key}`);
      }
      const said = complaint(planted(path, secret));
      if (path[0] !== "projects" && path[1] !== "extra_env") {
        assert.match(said, /holds (a secret itself|a key|a token|an address)/, `${kind} at ${key}`);
      }
    }
  }
});

Deno.test("a secret in place of a file's name is told once, by its key, with what to do", () => {
  const said = complaint(planted(["github_app", "private_key"], SECRETS["a key"]));
  assert.match(
    said,
    /: 1 mistake\n {2}github_app\.private_key: holds a secret itself \(a key in PEM\); put it into a file and name the file/,
  );
});

Deno.test("what the parser of JSON quotes is not printed", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config.json");
    const wrong = [
      `{\n  "github_app": { "private_key": ${MARKER} }\n}`,
      `${MARKER}`,
      `{ "a": "${first}\n${MARKER}" }`,
      `{ "a": 1, "b": ghp_${MARKER}0123456789abcdef, "c": "${"x".repeat(100)}" }`,
    ];
    for (const text of wrong) {
      await Deno.writeTextFile(path, text);
      await assert.rejects(readConfig(path), (error) => {
        assert.ok(!Deno.inspect(error).includes(MARKER), Deno.inspect(error));
        assert.match(String(error), /JSON/);
        assert.match(String(error), /line [1-3]\b/);
        return true;
      });
    }
  }));

/** Every command that reads the configuration. */
const COMMANDS: readonly string[][] = [
  ["check-config"],
  ["check-config", "--json"],
  ["status", "--json", "--timeout", "0.5"],
  ["status", "--timeout", "0.5"],
  ["dead-letters", "list", "--json"],
  ["permissions", "builder", "--json"],
  ["permissions", "github-comment-poster"],
  ["all"],
  ["github-comment-poster"],
  ["github-webhook-receiver"],
];

async function assertSilent(
  file: unknown,
  what: string,
  commands: readonly string[][],
): Promise<Ran[]> {
  const ran: Ran[] = [];
  await inFolder(async (folder) => {
    const path = join(folder, "config.json");
    await Deno.writeTextFile(path, JSON.stringify(file));
    for (const words of commands) {
      const result = await tickborg([...words, "--config", path], { cwd: folder });
      const { code, out, err } = result;
      assert.ok(!(out + err).includes(MARKER), `${words.join(" ")}, ${what}: ${out}${err}`);
      assert.doesNotMatch(err, /\n +at /, `${words.join(" ")}, ${what}`);
      assert.notEqual(code, 0, words.join(" "));
      ran.push(result);
    }
  });
  return ran;
}

Deno.test("no command prints a key that was pasted in place of its file's name", async () => {
  const file = planted(["github_app", "private_key"], SECRETS["a key"]);
  for (const { out, err } of await assertSilent(file, "a key", COMMANDS)) {
    assert.match(out + err, /github_app\.private_key: holds a secret itself/);
  }
});

Deno.test("no command prints a password in place of its file's name, whatever it looks like", async () => {
  const { projects: _projects, ...common } = example;
  for (const [kind, secret] of Object.entries(PASSWORDS)) {
    for (const key of FILE_KEYS) {
      const path = key.split(".");
      const file = planted(path, secret) as Record<string, Record<string, unknown>>;
      assert.ok(!complaint(file).includes(MARKER), `${kind} at ${key}`);
      if (kind.startsWith("two")) continue;
      const commands = [["check-config", "--json"], ...(path[0] === "rabbitmq" ? [["stats"]] : [])];
      if (key.includes("oauth")) continue;
      const [{ out }] = await assertSilent({ ...common, ...file }, key, commands) as [Ran];
      assert.match(out, new RegExp(`${key}: .*(may be|holds) (the|a) secret itself`), key);
    }
  }
});

/** Secrets are recognised in texts, and only secrets. */
import assert from "node:assert/strict";
import { formatWithFields } from "../../lib/runtime/log.ts";
import { readDeadLetter } from "../../lib/broker/dead_letters.ts";
import { bodyText, jsonText } from "../../lib/broker/dead_letters.ts";
import { looksLikeFile, redacted, secretInsteadOfFile } from "../../lib/text/redacted.ts";
import { deliveryOf } from "../support/recording_broker.ts";

const PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0Zq7x\n-----END RSA PRIVATE KEY-----";
const TOKEN = "ghs_0123456789abcdefghijABCDEFGHIJ0123";

Deno.test("keys, tokens and passwords in addresses are hidden, what stands around them stays", () => {
  const cases = [
    [`a ${PEM} b`, "a [hidden] b"],
    [JSON.stringify({ key: PEM, more: 1 }), '{"key":"[hidden]","more":1}'],
    [`{"key":"-----BEGIN PRIVATE KEY-----\\nMIIEow","more":1}`, '{"key":"[hidden]","more":1}'],
    [`token ${TOKEN}.`, "token [hidden]."],
    [
      "http://u:p@proxy:3128/x and https://u@h",
      "http://[hidden]@proxy:3128/x and https://[hidden]@h",
    ],
    ["Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOjF9.c2lnbmF0dXJl", "Bearer [hidden]"],
  ];
  for (const [text, expected] of cases) assert.equal(redacted(text!), expected);
  for (
    const plain of [
      "ssh://git@github.com/a/b",
      "https://example.com/a@b",
      "https://example.com?mail=a@b",
      "0123456789abcdef0123456789abcdef01234567",
      "-----BEGIN",
    ]
  ) assert.equal(redacted(plain), plain);
});

Deno.test("the name of a file is told from a secret", () => {
  const names = [
    "/etc/tickborg/0123456789abcdef0123456789abcdef",
    "credential:github-app-key",
    "secrets/hook",
    "./0123456789abcdef0123456789abcdef",
    "C:\\tickborg\\key.pem",
    "tickborg-2026-01-01.private-key.pem",
  ];
  for (const name of names) {
    assert.equal(secretInsteadOfFile(name), undefined, name);
    assert.ok(looksLikeFile(name), name);
  }
  const secrets = [
    PEM,
    TOKEN,
    "a\nb",
    "x".repeat(300),
    "0123456789abcdef0123456789abcdef",
    "q83vEjRWeJASNFZ4kBI0VniQEjRWeJA=",
    "amqp://u:p@h",
  ];
  for (const secret of secrets) {
    assert.notEqual(secretInsteadOfFile(secret), undefined, secret);
    assert.ok(!looksLikeFile(secret), secret);
  }
  for (const word of ["hunter2", "correct horse battery", "/9j4AAQSkZJRgABAQ", "p/W0rd!"]) {
    assert.ok(!looksLikeFile(word), word);
  }
});

Deno.test("a dead letter is shown without the secrets that it holds", () => {
  const body = new TextEncoder().encode(
    JSON.stringify({ url: "https://x:y@h/", token: TOKEN, PEM }),
  );
  const headers = { "x-tickborg-reason": `refused ${TOKEN}` };
  const letter = readDeadLetter(deliveryOf({ body, headers }), true);
  for (const text of [jsonText(letter), bodyText(letter)]) {
    assert.ok(text.includes("[hidden]"), text);
    for (const secret of [TOKEN, "x:y", "MIIEow"]) assert.ok(!text.includes(secret), text);
  }
  assert.equal(JSON.parse(JSON.parse(jsonText(letter)).body).token, "[hidden]");
});

Deno.test("a log line hides what its fields hold", () => {
  const line = formatWithFields({
    category: ["tickborg", "test"],
    level: "info",
    message: ["Told"],
    rawMessage: "Told",
    timestamp: 0,
    properties: { error: new Error(`cannot use ${TOKEN}`), key: PEM },
  });
  assert.ok(!redacted(line).includes(TOKEN) && !redacted(line).includes("MIIEow"), line);
});

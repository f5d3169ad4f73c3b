import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { parseConfig } from "../../lib/config/config.ts";
import { ConfigError } from "../../lib/common/errors.ts";
import { createGitHubFromConfig, parsePrivateKey } from "../../lib/github/from_config.ts";
import { startFakeGitHub } from "../../testing/fake_github/mod.ts";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

Deno.test("the key may be PKCS#1, as GitHub gives it, or PKCS#8", () => {
  for (const type of ["pkcs1", "pkcs8"] as const) {
    const pem = rsa.export({ type, format: "pem" }).toString();
    assert.match(parsePrivateKey(pem), /^-----BEGIN PRIVATE KEY-----/);
    assert.match(parsePrivateKey(`\n${pem.replaceAll("\n", "\r\n")}`), /^-----BEGIN PRIVATE KEY/);
  }
});

Deno.test("what is no RSA key is refused by name and without being quoted", () => {
  const pem = rsa.export({ type: "pkcs1", format: "pem" }).toString();
  const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const cases: [text: string, expected: RegExp][] = [
    ["", /found no PRIVATE KEY block/],
    ["hunter2", /found no PRIVATE KEY block/],
    [pem.slice(0, 800), /is invalid; check that it is complete$/],
    [pem.replaceAll("a", "*"), /is invalid; check that it is complete$/],
    [elliptic.export({ type: "pkcs8", format: "pem" }).toString(), /expected an RSA key, found ec/],
  ];
  for (const [text, expected] of cases) {
    assert.throws(() => parsePrivateKey(text), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^github_app\.private_key: /);
      assert.match(error.message, expected);
      assert.ok(!Deno.inspect(error).includes(pem.slice(40, 60)), "the key is quoted");
      return true;
    });
  }
});

Deno.test("a configuration's client speaks to the API it names", async () => {
  const fake = await startFakeGitHub();
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, fake.app.privateKey);
    const repo = fake.addRepository({ fullName: "acme/mono", cloneUrl: "http://git.test/" });
    await repo.openPullRequest({ headSha: "a".repeat(40) });
    const config = (app: unknown) =>
      parseConfig({
        github_app: app,
        github: { api_url: fake.url },
        runner: { identity: "test", repos: [] },
      });
    const github = await createGitHubFromConfig(config({ app_id: fake.app.id, private_key: file }));
    assert.equal((await github.pullRequest(repo, 1))?.number, 1);
    await assert.rejects(createGitHubFromConfig(config(undefined)), /github_app is missing/);
    const missing = config({ app_id: 1, private_key: `${file}.gone` });
    await assert.rejects(createGitHubFromConfig(missing), /github_app.private_key: .*no such file/);
  } finally {
    await Deno.remove(file);
    await fake.close();
  }
});

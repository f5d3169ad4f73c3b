/** What the receiver refuses, and in which order it looks. */
import assert from "node:assert/strict";
import { sign } from "../../lib/github/signature.ts";
import { expect, PAYLOAD, SECRET, story } from "../support/receiver.ts";

const encoder = new TextEncoder();

story("each mistake gets its own clear answer and publishes nothing", async (receiver) => {
  const { broker, send } = receiver;
  const good = sign(encoder.encode(PAYLOAD), SECRET);
  const cases: [name: string, headers: Record<string, string | null>, number, RegExp][] = [
    ["no signature", { "x-hub-signature-256": null }, 400, /^Signature missing/],
    [
      "an old signature",
      { "x-hub-signature-256": null, "x-hub-signature": "sha1=1" },
      400,
      /missing/,
    ],
    ["an empty signature", { "x-hub-signature-256": "" }, 400, /^Signature malformed/],
    [
      "another prefix",
      { "x-hub-signature-256": good.replace("sha256", "sha512") },
      400,
      /malformed/,
    ],
    ["an upper-case prefix", { "x-hub-signature-256": good.toUpperCase() }, 400, /malformed/],
    ["63 digits", { "x-hub-signature-256": good.slice(0, -1) }, 400, /malformed/],
    ["65 digits", { "x-hub-signature-256": `${good}0` }, 400, /malformed/],
    ["no digits", { "x-hub-signature-256": `sha256=${"g".repeat(64)}` }, 400, /malformed/],
    ["two signatures", { "x-hub-signature-256": `${good}, ${good}` }, 400, /malformed/],
    ["zeros", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }, 403, /^Signature mismatch/],
    [
      "another secret's",
      { "x-hub-signature-256": sign(encoder.encode(PAYLOAD), "x") },
      403,
      /^Signature mismatch/,
    ],
    ["no content type", { "content-type": null }, 400, /^Content-Type wrong/],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, 400, /^Content-Type wrong/],
    ["a cousin of JSON", { "content-type": "application/jsonp" }, 400, /^Content-Type wrong/],
    ["no event", { "x-github-event": null }, 400, /^X-GitHub-Event/],
    ["an event with dots", { "x-github-event": "push.#" }, 400, /^X-GitHub-Event/],
    ["an endless event", { "x-github-event": "a".repeat(65) }, 400, /^X-GitHub-Event/],
  ];
  for (const [name, headers, status, text] of cases) {
    const response = await send(PAYLOAD, headers);
    const body = await response.text();
    assert.equal(response.status, status, `${name}: ${body}`);
    assert.match(body, text, name);
  }
  const bodies: [body: string | Uint8Array, event: string, text: RegExp][] = [
    ["", "push", /expected a JSON object/],
    ["{", "push", /expected a JSON object/],
    ["null", "push", /expected a JSON object/],
    ["[]", "push", /expected a JSON object/],
    ['"x"', "push", /expected a JSON object/],
    [new Uint8Array([0x7b, 0xff, 0x7d]), "push", /expected a JSON object/],
    ["{}", "push", /no repository.full_name/],
    ['{"repository":null}', "issue_comment", /no repository.full_name/],
    ['{"repository":{}}', "star", /no repository.full_name/],
    ['{"repository":{"full_name":7}}', "push", /no repository.full_name/],
    ['{"repository":{"full_name":"a/b/c"}}', "push", /no repository.full_name/],
    ['{"repository":{"full_name":"#.*/x y"}}', "push", /no repository.full_name/],
    [`{"repository":{"full_name":"a/${"b".repeat(250)}"}}`, "push", /no repository.full_name/],
  ];
  for (const [body, event, text] of bodies) {
    await expect(await send(body, { "x-github-event": event }), 400, text);
  }
  assert.deepEqual(broker.published, []);
});

story("the first check that fails answers", async ({ send }) => {
  const wrong = `sha256=${"0".repeat(64)}`;
  const everything = { "content-type": "text/plain", "x-github-event": null };
  await expect(await send("{", { ...everything, "x-hub-signature-256": "x" }), 400, /^Signature/);
  await expect(await send("{", { ...everything, "x-hub-signature-256": wrong }), 403, /^Signature/);
  await expect(await send("{", everything), 400, /^Content-Type/);
  await expect(await send("{", { "x-github-event": null }), 400, /^X-GitHub-Event/);
});

story("signature digits may be in upper case, JSON may name its charset", async ({ send }) => {
  const signature = sign(encoder.encode(PAYLOAD), SECRET);
  await expect(
    await send(PAYLOAD, {
      "x-hub-signature-256": `sha256=${signature.slice(7).toUpperCase()}`,
      "content-type": "application/json; charset=utf-8",
    }),
    202,
    /^Queued/,
  );
});

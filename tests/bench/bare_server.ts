/** The baseline of the webhook figure: a bare `Deno.serve` that checks the HMAC and parses the JSON. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

const [port, secret] = Deno.args as [string, string];

Deno.serve(
  { hostname: "127.0.0.1", port: Number(port), onListen: () => console.log("ready") },
  async (request) => {
    const body = new Uint8Array(await request.arrayBuffer());
    const expected = createHmac("sha256", secret).update(body).digest();
    const given = Buffer.from(request.headers.get("x-hub-signature-256")?.slice(7) ?? "", "hex");
    if (given.length !== 32 || !timingSafeEqual(given, expected)) {
      return new Response("no\n", { status: 403 });
    }
    JSON.parse(new TextDecoder().decode(body));
    return new Response("ok\n", { status: 202 });
  },
);

/** HTTP requests that no honest client sends, as raw bytes over TCP. */
import type { Random } from "../random.ts";

/** How a request is sent. */
export interface HostileRequest {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Milliseconds for which the connection is held open, though nothing more comes. */
  readonly holdMs?: number | undefined;
}

/** How a request ended: a status, or the connection closed without one, or nothing until we gave up. */
export interface HostileAnswer {
  readonly status: number | "closed" | "silent";
  readonly text: string;
}

const encode = (text: string) => new TextEncoder().encode(text);
const request = (line: string, headers = "", body = "") =>
  encode(`${line}\r\nHost: x\r\nConnection: close\r\n${headers}\r\n${body}`);

/** Paths that lead out of where logs lie, or nowhere. */
const PATHS: readonly string[] = [
  "/logs/../../../../etc/passwd",
  "/logfile/../../etc/passwd/x",
  "/logfile//etc/passwd",
  "//etc/passwd",
  "/logs//etc",
  "/logfile/..%2f..%2f..%2fetc%2fpasswd/x",
  "/logfile/%2e%2e/%2e%2e/etc/passwd",
  "/logfile/%252e%252e%252fetc/passwd",
  "/logfile/a%00b/x",
  "/logfile/a/b/.x.state.json",
  "/logfile/.open/x",
  "/logfile/%ff%fe/x",
  "/logfile/a%2Fb/..%5c..%5cx",
  "http://evil.example/logs/x",
  "*",
  "/" + "a/".repeat(2_000),
  "/logs/" + "%41".repeat(3_000),
];

type Maker = (random: Random) => HostileRequest;

/** What is sent to the log server. */
export const LOG_REQUESTS: readonly Maker[] = [
  (random) => ({ name: "path", bytes: request(`GET ${random.pick(PATHS)} HTTP/1.1`) }),
  (random) => ({
    name: "method",
    bytes: request(
      `${random.pick(["POST", "PUT", "DELETE", "FOO", "TRACE"])} /logs/a/b.1 HTTP/1.1`,
    ),
  }),
  (random) => ({
    name: "range",
    bytes: request(
      "GET /logfile/a/b.1/x HTTP/1.1",
      `Range: bytes=${random.pick(["-1", "9999999999999999999-", "5-1", "0-0,1-1", "x"])}\r\n`,
    ),
  }),
  (random) => ({
    name: "query",
    bytes: request(`GET /?key=${"x".repeat(random.whole(1, 8_000))}&attempt_id=../.. HTTP/1.1`),
  }),
];

const signed = (signature: string) =>
  `Content-Type: application/json\r\nX-GitHub-Event: push\r\nX-Hub-Signature-256: ${signature}\r\n`;

/** What is sent to the webhook receiver. */
export const WEBHOOK_REQUESTS: readonly Maker[] = [
  () => ({ name: "no signature", bytes: post("{}", "") }),
  (random) => ({
    name: "signature",
    bytes: post(
      "{}",
      signed(random.pick(["", "sha256=", "sha1=ab", `sha256=${"0".repeat(64)}`, "\xff"])),
    ),
  }),
  (random) => ({
    name: "method",
    bytes: request(`${random.pick(["GET", "PUT", "PATCH", "BREW"])} /github-webhook HTTP/1.1`),
  }),
  () => ({
    name: "declared too large",
    bytes: encode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{"),
  }),
  (random) => ({
    name: "slow body",
    bytes: encode("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"),
    holdMs: random.whole(0, 400),
  }),
  () => ({
    name: "bad chunk",
    bytes: encode(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ),
  }),
];

/** What is sent to either. */
export const ANY_REQUESTS: readonly Maker[] = [
  (random) => ({
    name: "junk",
    bytes: Uint8Array.from({ length: random.whole(1, 2_000) }, () => random.whole(0, 255)),
  }),
  (random) => ({
    name: "half open",
    bytes: encode("POST /github-webhook HTTP/1.1\r\nHost: x\r\nX-Slow: "),
    holdMs: random.whole(0, 600),
  }),
  (random) => ({
    name: "huge header",
    bytes: request("POST / HTTP/1.1", `X-Big: ${"x".repeat(random.whole(20_000, 200_000))}\r\n`),
  }),
  () => ({
    name: "many headers",
    bytes: request(
      "POST / HTTP/1.1",
      Array.from({ length: 500 }, (_, n) => `X-${n}: y\r\n`).join(""),
    ),
  }),
  () => ({
    name: "header junk",
    bytes: request("POST / HTTP/1.1", "X Bad: 1\r\n: 2\r\nX-Null: \0\r\nContent-Length: -5\r\n"),
  }),
  () => ({
    name: "two lengths",
    bytes: encode(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    ),
    holdMs: 50,
  }),
  () => ({ name: "other protocol", bytes: encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0") }),
  () => ({ name: "tls", bytes: new Uint8Array([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]) }),
];

function post(body: string, headers: string): Uint8Array {
  return request(
    "POST /github-webhook HTTP/1.1",
    `${headers}Content-Length: ${body.length}\r\n`,
    body,
  );
}

/** Milliseconds after which a server that neither answers nor closes is left. */
const TIMEOUT_MS = 1_500;

/** Sends a request and waits for its end. Rejects only where nobody listens. */
export async function sendHostile(
  port: number,
  { bytes, holdMs = TIMEOUT_MS }: HostileRequest,
): Promise<HostileAnswer> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    connection.close();
  }, holdMs);
  try {
    return await exchange(connection, bytes);
  } catch {
    return { status: late ? "silent" : "closed", text: "" };
  } finally {
    clearTimeout(timer);
    if (!late) connection.close();
  }
}

async function exchange(connection: Deno.TcpConn, bytes: Uint8Array): Promise<HostileAnswer> {
  // A server that refuses early resets what is still being written; its answer may be there already.
  const writing = (async () => {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  })().catch(() => {});
  const buffer = new Uint8Array(16 * 1024);
  let text = "";
  try {
    for (;;) {
      const read = await connection.read(buffer);
      if (read === null || text.length > 100_000) break;
      text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
    }
  } catch (error) {
    if (text === "") throw error;
  }
  await writing;
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  return { status: status === undefined ? "closed" : Number(status), text };
}

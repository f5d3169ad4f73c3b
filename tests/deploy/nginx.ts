/** A real nginx with the shipped configuration. */
import assert from "node:assert/strict";
import { roleOf } from "../../services/roles.ts";
import { freePorts } from "../../testing/ports.ts";
import { until } from "../../testing/waiting.ts";
import { find, repositoryFile, succeed } from "./tools.ts";

/** The file that is shipped. */
export const shipped = repositoryFile("deploy/nginx/tickborg.conf");

/** What stands behind the proxy. */
export interface Behind {
  readonly receiver: number;
  readonly logs: number;
}

/** A real nginx. */
export interface Proxy extends AsyncDisposable {
  readonly url: string;
  readonly plainUrl: string;
  readonly client: Deno.HttpClient;
  /** Asks for a path as it stands, which `fetch` would tidy up; resolves to the status code. */
  status(path: string): Promise<number>;
}

/** The shipped file with the test's ports and a certificate made for the test, and nothing else changed. */
function adapted(folder: string, ports: { http: number; https: number }, behind: Behind): string {
  const replacements: [string | RegExp, string][] = [
    [/^ *listen \[::\].*\n/gm, ""],
    ["listen 80;", `listen 127.0.0.1:${ports.http};`],
    ["listen 443 ssl", `listen 127.0.0.1:${ports.https} ssl`],
    [/\/etc\/letsencrypt\/live\/ci\.example\.com\/fullchain\.pem/, `${folder}/cert.pem`],
    [/\/etc\/letsencrypt\/live\/ci\.example\.com\/privkey\.pem/, `${folder}/key.pem`],
    [/ci\.example\.com/g, "localhost"],
    [`127.0.0.1:${roleOf("github-webhook-receiver").port}`, `127.0.0.1:${behind.receiver}`],
    [`127.0.0.1:${roleOf("log-message-collector").port}`, `127.0.0.1:${behind.logs}`],
  ];
  return replacements.reduce((text, [from, to]) => {
    const next = text.replace(from, to);
    assert.notEqual(next, text, `${from} is not in the shipped file`);
    return next;
  }, shipped);
}

/** Starts a real nginx with the shipped configuration. */
export async function startNginx(folder: string, behind: Behind): Promise<Proxy> {
  const [http, https] = freePorts(2) as [number, number];
  await succeed([
    "openssl",
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    // A server's certificate, not an authority's: Deno tells them apart.
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ...["-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`],
  ]);
  await Deno.writeTextFile(`${folder}/tickborg.conf`, adapted(folder, { http, https }, behind));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/${kind};`).join("\n");
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `${Deno.uid() === 0 ? "user root;" : ""}
    daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log; worker_processes 1;
    events { worker_connections 256; }
    http { access_log off; ${temporary} include ${folder}/tickborg.conf; }`,
  );
  await succeed(["nginx", "-t", "-q", "-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`]);
  const nginx = new Deno.Command(find("nginx")!, {
    args: ["-e", `${folder}/error.log`, "-c", `${folder}/nginx.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const caCerts = [await Deno.readTextFile(`${folder}/cert.pem`)];
  const client = Deno.createHttpClient({ caCerts });
  const proxy = {
    url: `https://localhost:${https}`,
    plainUrl: `http://localhost:${http}`,
    client,
    status: (path: string) => rawStatus(path, { port: https, caCerts }),
    async [Symbol.asyncDispose]() {
      client.close();
      nginx.kill("SIGTERM");
      await nginx.status;
    },
  };
  try {
    await answers(proxy);
    return proxy;
  } catch (error) {
    await proxy[Symbol.asyncDispose]();
    throw error;
  }
}

/** Waits until nginx answers; throws with what kept it from it. */
async function answers({ url, client }: Proxy): Promise<void> {
  let last: unknown;
  await until("nginx", async () => {
    try {
      const response = await fetch(url, { client });
      await response.body?.cancel();
      return true;
    } catch (error) {
      last = error;
    }
  }).catch((error) => {
    throw new Error(error.message, { cause: last });
  });
}

async function rawStatus(path: string, to: { port: number; caCerts: string[] }): Promise<number> {
  using connection = await Deno.connectTls({ hostname: "localhost", ...to });
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const text = await new Response(connection.readable).text();
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]);
}

/** Serves bare repositories over git's smart HTTP protocol with `git http-backend`. */

/** A git server on loopback. */
export interface GitServer {
  /** `http://127.0.0.1:<port>`; a repository is at `<url>/<owner>/<name>.git`. */
  readonly url: string;
  /** While false, every request gets a 503, as from a server that is down. */
  up: boolean;
  /** How many requests there were. */
  requests: number;
  /**
   * Answers for Git LFS (https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md); no LFS
   * when absent.
   */
  lfs: ((request: Request) => Response | Promise<Response>) | undefined;
  close(): Promise<void>;
}

/** Starts a git server for the bare repositories below a folder. */
export function startGitServer(root: string): GitServer {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    state.requests++;
    if (!state.up) return new Response("down\n", { status: 503 });
    if (state.lfs && request.url.includes("/lfs/")) return await state.lfs(request);
    return await backend(root, request);
  });
  const state: GitServer = {
    url: `http://127.0.0.1:${server.addr.port}`,
    up: true,
    requests: 0,
    lfs: undefined,
    close: () => server.shutdown(),
  };
  return state;
}

/** One request as a CGI call (RFC 3875): variables in, header lines and a body out. */
async function backend(root: string, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const child = new Deno.Command("git", {
    args: [
      "-c",
      "safe.directory=*",
      "-c",
      "uploadpack.allowReachableSHA1InWant=true",
      "http-backend",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    env: {
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
  }).spawn();
  const body = new Uint8Array(await request.arrayBuffer());
  const writer = child.stdin.getWriter();
  await writer.write(body).then(() => writer.close()).catch(() => {});
  const { stdout } = await child.output();
  return parseCgi(stdout);
}

function parseCgi(output: Uint8Array<ArrayBuffer>): Response {
  const text = new TextDecoder("latin1").decode(output.subarray(0, 8_192));
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return new Response("git http-backend failed\n", { status: 500 });
  const headers = new Headers();
  let status = 200;
  for (const line of text.slice(0, end).split("\r\n")) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    if (name.toLowerCase() === "status") status = Number(value.slice(0, 3));
    else headers.append(name, value);
  }
  return new Response(output.subarray(end + 4), { status, headers });
}

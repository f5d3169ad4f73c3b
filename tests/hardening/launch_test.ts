import assert from "node:assert/strict";
import { compileLauncher, readOnly, restricted, type Restriction } from "../support/hardening.ts";

/** Linux alone has these; elsewhere there is nothing to test. */
const ignore = Deno.build.os !== "linux";

const EVERYTHING: readonly Restriction[] = [
  "mdwe",
  "no-new-privs",
  "families",
  "no-namespaces",
  "syscalls",
];

/** What the units of every role but the builder say. */
const FILTER = ["@system-service", "~@mount", "~@privileged @resources"];

interface Launcher {
  readonly folder: string;
  /** Runs a program under restrictions. */
  run(restrictions: readonly Restriction[], argv: readonly string[]): Promise<Ended>;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function withLauncher(test: (launcher: Launcher) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const launcher = await compileLauncher(folder, FILTER);
    await test({ folder, run: (names, argv) => run([...restricted(launcher, names), ...argv]) });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run([program, ...args]: readonly string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(program!, {
    args,
    env: { NO_COLOR: "1", LC_ALL: "C" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Code that a role's work resembles: an HTTP server and client, HMAC, JSON, SQLite-free file reads, git. */
const WORK = `
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const key = await crypto.subtle.importKey("raw", new Uint8Array(32),
      { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    await crypto.subtle.sign("HMAC", key, new Uint8Array(await request.arrayBuffer()));
    return Response.json({ read: (await Deno.readTextFile("/etc/hosts")).length > 0 });
  });
  const answer = await fetch("http://127.0.0.1:" + server.addr.port, { method: "POST", body: "x" });
  console.log(JSON.stringify(await answer.json()));
  await server.shutdown();
  const git = await new Deno.Command("git", { args: ["--version"] }).output();
  console.log(git.success ? "git runs" : "git fails");
`;

Deno.test({
  name: "MemoryDenyWriteExecute kills V8, and --jitless is what saves it",
  ignore,
  fn: () =>
    withLauncher(async ({ run }) => {
      const withJit = await run(["mdwe"], [Deno.execPath(), "eval", WORK]);
      assert.notEqual(withJit.code, 0);
      const jitless = await run(["mdwe"], [
        Deno.execPath(),
        "eval",
        "--v8-flags=--jitless",
        WORK,
      ]);
      assert.equal(jitless.code, 0, jitless.stderr);
    }),
});

Deno.test({
  name: "Deno works under everything at once",
  ignore,
  fn: () =>
    withLauncher(async ({ run }) => {
      const ended = await run(EVERYTHING, [Deno.execPath(), "eval", "--v8-flags=--jitless", WORK]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(ended.stdout, '{"read":true}\ngit runs\n');
    }),
});

Deno.test({
  name: "the launcher really refuses: writable code, new user namespaces, mounts, odd sockets",
  ignore,
  fn: () =>
    withLauncher(async ({ run, folder }) => {
      const probe = `${folder}/probe`;
      const source = new URL("probe.c", import.meta.url).pathname;
      const cc = await new Deno.Command("cc", { args: ["-o", probe, source] }).output();
      assert.ok(cc.success, new TextDecoder().decode(cc.stderr));
      const free = await run([], [probe]);
      assert.deepEqual(refusals(free), []);
      const bound = await run(EVERYTHING, [probe]);
      assert.deepEqual(refusals(bound), [
        "map writable memory as code: EACCES",
        "make a user namespace: EPERM",
        "mount: EPERM",
        "open a netlink socket: EAFNOSUPPORT",
        "trace another process: EPERM",
      ]);
    }),
});

function refusals({ code, stdout, stderr }: Ended): string[] {
  assert.equal(code, 0, stderr);
  return stdout.split("\n").filter((line) => /: E[A-Z]+$/.test(line));
}

Deno.test({
  name: "the read-only file system is read-only but for the folders that are named",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const script = `echo yes > ${folder}/here && ! echo no 2>/dev/null > /var/there`;
      const ended = await run([...readOnly({ writable: [folder] }), "sh", "-c", script]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(await Deno.readTextFile(`${folder}/here`), "yes\n");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** What a hostile build can see and touch inside of bubblewrap, as root and as nobody. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { createJobFolder, type JobFolder } from "../../lib/builder/checkout/job_folder.ts";
import { openSandbox } from "../../lib/builder/sandbox/open_sandbox.ts";
import type { Sandbox } from "../../lib/builder/sandbox/sandbox.ts";
import { ConfigError } from "../../lib/common/errors.ts";
import { toolTest } from "./tools.ts";

interface Ground {
  readonly root: string;
  readonly sandbox: Sandbox;
  readonly job: JobFolder;
  /** Runs a script in the sandbox and resolves to what it printed. */
  run(script: string, options?: { uid?: number; sandbox?: Sandbox }): Promise<string>;
}

async function withGround(work: (ground: Ground) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "tickborg-sandbox-" });
  const tools = join(root, "tools");
  await Deno.mkdir(tools);
  await Deno.writeTextFile(join(tools, "own-tool"), "#!/bin/sh\necho own tool\n", { mode: 0o755 });
  await Deno.writeTextFile(join(tools, "secret"), "swordfish");
  await Deno.mkdir(join(tools, "private"));
  await Deno.writeTextFile(join(tools, "private", "secret"), "swordfish");
  await Deno.writeTextFile(join(root, "config.json"), "swordfish");
  const jobsRoot = join(root, "jobs");
  const open = (network: boolean) =>
    openSandbox({
      mode: "bubblewrap",
      network,
      jobsRoot,
      hide: [join(tools, "secret"), join(tools, "private"), join(root, "config.json")],
      extraEnv: { PATH: `${tools}:/usr/local/bin:/usr/bin:/bin` },
      log: getLogger(["test"]),
    });
  const sandbox = await open(false);
  const job = await createJobFolder(jobsRoot, "mine");
  const other = await createJobFolder(jobsRoot, "other");
  await Deno.writeTextFile(join(other.tree, "file"), "swordfish");
  try {
    await work({
      root,
      sandbox,
      job,
      async run(script, { uid, sandbox: own = sandbox } = {}) {
        const { argv, cwd, env } = own.wrap(
          { argv: ["sh", "-c", script], cwd: own.places(job).tree, env: {} },
          job,
        );
        const { stdout, stderr } = await new Deno.Command(argv[0]!, {
          args: argv.slice(1),
          cwd,
          env: { ...env },
          clearEnv: true,
          stdin: "null",
          ...(uid === undefined ? {} : { uid, gid: uid }),
        }).output();
        return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      },
    });
  } finally {
    await job.remove();
    await other.remove();
    await Deno.remove(root, { recursive: true });
  }
}

/** Each line printed is something that a build must not be able to do. */
const ATTACK = (root: string) => `
find ${root} -name file -path '*other*' | sed 's/^/other job: /'
cat ${root}/config.json ${root}/tools/secret ${root}/tools/private/* 2>/dev/null | sed 's/^/secret: /'
for place in /usr/x /etc/x /x /run/x /dev/x /var/x ${root}/tools/x ${root}/tools/private/x; do
  ( echo x > $place ) 2>/dev/null && echo "wrote $place"
done
for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sysrq-trigger; do
  ( cat $file > $file ) 2>/dev/null && echo "wrote $file"
done
cat /etc/shadow /root/.ssh/* 2>/dev/null | sed 's/^/read: /'
ls /proc | grep -E '^[0-9]+$' | while read -r pid; do
  grep -sq deno /proc/$pid/comm && echo "sees deno as $pid"
  grep -sa swordfish /proc/$pid/environ
done
[ "$(id -u)" = 0 ] && echo "is root"
env | grep swordfish
( unshare -Ur true ) 2>/dev/null && echo "made a user namespace"
( mount -t tmpfs none /mnt ) 2>/dev/null && echo mounted
[ -s /proc/net/route ] && [ "$(wc -l < /proc/net/route)" -gt 1 ] && echo "has a network"
[ -e /sys/kernel ] && echo "sees /sys"
[ -d /dev/mapper ] || [ -e /dev/vda ] || [ -e /dev/sda ] && echo "sees disks"
ls /home /srv /var/lib 2>/dev/null
true`;

toolTest("a hostile build sees no secret, no other job, no process, and writes nothing outside", [
  "bwrap",
], async () => {
  await withGround(async ({ root, run }) => {
    Deno.env.set("TICKBORG_TEST_SECRET", "swordfish");
    try {
      assert.equal(await run(ATTACK(root)), "");
    } finally {
      Deno.env.delete("TICKBORG_TEST_SECRET");
    }
  });
});

toolTest("a build inside finds its tools, a HOME and a /tmp of its own, and writes its folders", [
  "bwrap",
], async () => {
  await withGround(async ({ job, run }) => {
    const said = await run(`
      own-tool; echo "$HOME $CI $TERM"; touch "$HOME/a" /tmp/b ../build/c d && echo written
      id -un; hostname; cat /proc/sys/kernel/ostype; readlink /bin >/dev/null && ls / | tr '\\n' ' '`);
    assert.match(said, /^own tool\n/);
    assert.ok(said.includes(`/work/home true dumb\nwritten\nbuild\n`), said);
    for (const path of [`${job.home}/a`, `${job.tmp}/b`, `${job.build}/c`, `${job.tree}/d`]) {
      assert.ok((await Deno.stat(path)).isFile);
    }
  });
});

toolTest("what a build keeps in memory as files is bounded", ["bwrap"], async () => {
  await withGround(async ({ run }) => {
    const said = await run("echo x > /dev/shm/x && cat /dev/shm/x; df -kP /dev/shm");
    assert.match(said, /^x\n/);
    assert.match(said, /^tmpfs +1048576 /m);
  });
});

toolTest("the same holds for a builder that is not root", ["bwrap"], async () => {
  await withGround(async ({ root, job, run }) => {
    const nobody = 65_534;
    await Deno.chmod(root, 0o755);
    for (const path of [job.root, job.tree, job.build, job.home, job.tmp]) {
      await Deno.chown(path, nobody, nobody);
    }
    assert.equal(
      await run(`${ATTACK(root)}; touch "$HOME/a" && own-tool`, { uid: nobody }),
      "own tool\n",
    );
  });
  // Where the tests are not root's, those above have shown it.
}, { ignore: Deno.uid() !== 0 });

Deno.test("a folder that would lie where builds have their own is refused by name", async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-sandbox-" });
  const open = (path: string) =>
    openSandbox({
      mode: "auto",
      network: true,
      jobsRoot: root,
      hide: [],
      readOnlyPaths: [path],
      extraEnv: {},
      log: getLogger(["test"]),
    });
  try {
    for (const path of ["/", "/work", "/work/", "/work/src/sdk"]) {
      await assert.rejects(() => open(path), /Cannot show builds \/.*builder\.read_only_paths/);
    }
    await open("/work/sdk");
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("where bubblewrap is demanded and not there, the builder does not start", async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-sandbox-" });
  const path = Deno.env.get("PATH")!;
  try {
    // Only this process's own PATH decides where bwrap is found.
    const open = (mode: "auto" | "bubblewrap") =>
      openSandbox({
        mode,
        network: true,
        jobsRoot: root,
        hide: [],
        extraEnv: {},
        log: getLogger(["test"]),
      });
    await Deno.mkdir(`${root}/bin`);
    await Deno.symlink("/bin/sh", `${root}/bin/sh`);
    Deno.env.set("PATH", `${root}/bin`);
    await assert.rejects(
      () => open("bubblewrap"),
      (error) => error instanceof ConfigError && /bwrap is not installed/.test(error.message),
    );
    const userIs = (id: number) =>
      Deno.writeTextFile(`${root}/bin/id`, `#!/bin/sh\necho ${id}\n`, { mode: 0o755 });
    await userIs(1_000);
    assert.equal((await open("auto")).kind, "none");
    await userIs(0);
    await assert.rejects(
      () => open("auto"),
      (error) => error instanceof ConfigError && /as root without a sandbox/.test(error.message),
    );
  } finally {
    Deno.env.set("PATH", path);
    await Deno.remove(root, { recursive: true });
  }
});

import assert from "node:assert/strict";
import { validate } from "dockerfile-utils";
import { LAYOUT } from "../../deploy/files/layout.ts";
import { VERSION } from "../../lib/common/version.ts";
import { ROLE_NAMES } from "../../services/roles.ts";
import { startFleet } from "../../testing/fleet.ts";
import { repositoryFile, repositoryPath, run, succeed } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const dockerfile = repositoryFile("Dockerfile");

/** The instructions, each on one line, without comments. */
const instructions = dockerfile.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n")
  .filter((line) => line !== "");

/** What `COPY` takes from the repository. */
const sources = instructions.filter((line) => line.startsWith("COPY ") && !line.includes("--from"))
  .flatMap((line) => line.split(" ").slice(1, -1));

Deno.test("the Dockerfile has no fault that a linter finds", () => {
  assert.deepEqual(validate(dockerfile), []);
  assert.notDeepEqual(validate("FROM x\nCOPPY a b\n"), []);
});

Deno.test("every file that is copied is there and not kept out by .dockerignore", () => {
  const allowed = repositoryFile(".dockerignore").split("\n").filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1));
  for (const source of sources) {
    Deno.statSync(repositoryPath(source));
    assert.ok(allowed.includes(source), `${source} is not in .dockerignore`);
  }
  assert.deepEqual(allowed.filter((path) => !sources.includes(path)), []);
});

Deno.test("containers run as a user without a name on the host, and a command is a role", () => {
  const last = instructions.findLastIndex((line) => line.startsWith("FROM "));
  assert.equal(instructions[last], "FROM base AS tickborg");
  const users = instructions.filter((line) => line.startsWith("USER "));
  assert.equal(users.at(-1), "USER 10001:10001");
  assert.ok(instructions.includes(`ENTRYPOINT ["${LAYOUT.prefix}/bin/tickborg"]`));
  assert.match(dockerfile, /CONFIG_PATH=\/config\/config\.json/);
  assert.match(dockerfile, /CREDENTIALS_DIRECTORY=\/run\/secrets/);
});

/** What the first stage does, with the files that it copies and no others. */
async function install(folder: string): Promise<string> {
  for (const source of sources) {
    const target = `${folder}/source/${source}`;
    await Deno.mkdir(target.slice(0, target.replace(/\/$/, "").lastIndexOf("/")), {
      recursive: true,
    });
    await succeed(["cp", "-r", repositoryPath(source), target]);
  }
  const command = instructions.find((line) => line.startsWith("RUN npx"))!;
  assert.match(command, /^RUN npx -y deno@\d+\.\d+\.\d+ run /);
  const flags = command.replace(/^RUN npx -y deno@\S+ /, "").replace(
    LAYOUT.prefix,
    `${folder}/prefix`,
  );
  await succeed([Deno.execPath(), ...flags.split(" ")], { cwd: `${folder}/source` });
  return `${folder}/prefix`;
}

Deno.test("what the image holds starts every role, without a writable file and without the network", () =>
  inFolder(async (folder) => {
    const prefix = await install(folder);
    await Deno.remove(`${folder}/source`, { recursive: true });
    // A root user could write all the same: as anybody else, where the test may choose.
    await succeed(["chmod", "-R", "a-w,a+rX", prefix]);
    await Deno.chmod(folder, 0o755);
    const nobody = Deno.uid() === 0
      ? ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups"]
      : [];
    const env = { https_proxy: "http://127.0.0.1:9", HTTPS_PROXY: "http://127.0.0.1:9" };
    const version = await succeed([...nobody, `${prefix}/bin/tickborg`, "--version"], { env });
    assert.equal(version.trim(), `tickborg ${VERSION}`);
    for (const name of ROLE_NAMES) {
      const help = await succeed([...nobody, `${prefix}/bin/tickborg`, name, "--help"], { env });
      assert.match(help, new RegExp(`Usage: tickborg ${name}`));
      const { code, stderr } = await run([...nobody, `${prefix}/bin/${name}`], {
        env: { ...env, CONFIG_PATH: "/nowhere/config.json" },
      });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /Cannot read configuration \/nowhere\/config\.json: no such file/);
    }
    const { code, stderr } = await run([...nobody, `${prefix}/bin/tickborg`, "demo"], { env });
    assert.equal(code, 2);
    assert.match(stderr, /The demo needs Tickborg's sources/);

    await healthChecks(prefix);
    await succeed(["chmod", "-R", "u+w", prefix]);
  }));

/** The compose file's health check, run against roles that are well and against what is not. */
async function healthChecks(prefix: string): Promise<void> {
  const check = (port: number | string) => run([`${prefix}/bin/healthcheck`, `${port}`]);
  const fleet = await startFleet({
    files: {},
    projects: [],
    roles: ["github-webhook-receiver", "log-message-collector", "stats"],
  });
  try {
    for (const port of Object.values(fleet.listens)) {
      const { code, stderr } = await check(port);
      assert.equal(code, 0, stderr);
    }
  } finally {
    await fleet.close();
  }
  assert.equal((await check(fleet.listens.stats)).code, 1);
  assert.equal((await check("x")).code, 2);
  await using ill = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => Response.json({ status: "unavailable" }, { status: 503 }),
  );
  const answer = await check(ill.addr.port);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /^503 .*unavailable/);
}

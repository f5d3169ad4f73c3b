/** The data of installed programs that builds see, and the secrets near it that they do not. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { createJobFolder } from "../../lib/builder/checkout/job_folder.ts";
import { secretsIn } from "../../lib/builder/machine.ts";
import { openSandbox } from "../../lib/builder/sandbox/open_sandbox.ts";
import { publicData } from "../../lib/builder/sandbox/public_data.ts";
import { openBuilderHarness } from "./builder_harness.ts";
import { custom } from "./builder_verbs.ts";
import { toolTest } from "./tools.ts";

Deno.test("of /etc the data of programs is public, and nothing that may hold a secret", () => {
  const shown =
    "alternatives ca-certificates chromium.d fonts ghc ImageMagick-6 java java-17-openjdk " +
    "ld.so.cache magic.mime ocamlfind.conf php php.ini python3.11 R sgml terminfo texmf xml";
  const secret =
    "shadow shadow- gshadow ssl ssh tickborg environment gitconfig npmrc pip.conf apt " +
    "php-fpm.d php-fpm.conf odbc.ini netrc xdg sudoers sudoers.d krb5.keytab wgetrc opt docker " +
    "kubernetes cron.d mysql postgresql maven rabbitmq systemd machine-id hosts passwd xml-secret";
  const paths = publicData([...shown.split(" "), ...secret.split(" ")]);
  for (const name of shown.split(" ")) assert.ok(paths.includes(`/etc/${name}`), name);
  for (const name of secret.split(" ")) assert.ok(!paths.includes(`/etc/${name}`), name);
  for (const path of paths) {
    assert.doesNotMatch(path, /private|tickborg|credentials|dpkg|postgresql$/);
  }
});

Deno.test("in a public folder what not every user may read stays hidden, and what people write passwords in", async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-public-" });
  try {
    const at = (path: string) => join(root, path);
    await Deno.mkdir(at("php/8/fpm"), { recursive: true });
    await Deno.mkdir(at("php/8/cli"));
    await Deno.mkdir(at("xml/private"), { recursive: true });
    for (const path of ["php/8/fpm/pool", "php/8/cli/php.ini", "xml/catalog", "xml/key"]) {
      await Deno.writeTextFile(at(path), "");
      await Deno.chmod(at(path), 0o644);
    }
    for (const path of ["xml", "php", "php/8", "php/8/cli"]) await Deno.chmod(at(path), 0o755);
    await Deno.writeTextFile(at("xml/private/key"), "");
    await Deno.chmod(at("xml/key"), 0o640);
    await Deno.chmod(at("xml/private"), 0o750);
    await Deno.symlink("/etc/shadow", at("xml/link"));
    const hidden = await secretsIn([at("xml"), at("php"), at("missing")], [
      at("php/*/fpm"),
      at("x*y"),
    ]);
    assert.deepEqual(hidden.toSorted((one, other) => one.path < other.path ? -1 : 1), [
      { path: at("php/8/fpm"), folder: true },
      { path: at("xml/key"), folder: false },
      { path: at("xml/private"), folder: true },
    ]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

/** Prints what a build has of the machine, and what it can read of its secrets. */
const LOOK = `
getent hosts "$(hostname)"; getent hosts localhost >/dev/null && echo localhost
cut -d ' ' -f 2 /etc/mtab | grep -x /work/src
[ -e /etc/xml/catalog ] && echo catalog
head -n 1 /etc/hosts; grep -c . /etc/hosts
umask; stat -c %a . "$HOME" "$TMPDIR" 2>/dev/null
find /etc /var ! -type l ! -perm -004 ! -type d -size +0 2>/dev/null | sed 's/^/secret: /'
cat /etc/shadow /etc/ssl/private/* /etc/environment /etc/npmrc /etc/gitconfig 2>/dev/null | sed 's/^/secret: /'
ls /etc/ssl/private /var/lib 2>/dev/null
true`;

toolTest("a build resolves its own host, and reads the machine's catalogs but no secret", [
  "bwrap",
  "/etc/xml/catalog",
], async () => {
  const root = await Deno.makeTempDir({ prefix: "tickborg-public-" });
  const sandbox = await openSandbox({
    mode: "bubblewrap",
    network: false,
    jobsRoot: root,
    hide: [],
    extraEnv: {},
    log: getLogger(["test"]),
  });
  const job = await createJobFolder(root, "job");
  try {
    const { argv, cwd, env } = sandbox.wrap(
      { argv: ["sh", "-c", LOOK], cwd: sandbox.places(job).tree, env: {} },
      job,
    );
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", 'umask 022; exec "$@"', "sh", ...argv],
      cwd,
      env: { ...env },
      clearEnv: true,
    }).output();
    const known = (await Deno.readTextFile("/etc/hosts")).split("\n").filter(Boolean).length;
    assert.equal(
      new TextDecoder().decode(stdout).replaceAll(/ +/g, " "),
      "127.0.0.1 tickborg\nlocalhost\n/work/src\ncatalog\n127.0.0.1 localhost\n" +
        `${known + 2}\n0022\n755\n755\n`,
    );
    assert.equal(sandbox.hides("/etc/xml"), false);
    assert.equal(sandbox.hides("/etc/hosts"), false);
    assert.equal(sandbox.hides("/etc/shadow"), true);
  } finally {
    await job.remove();
    await Deno.remove(root, { recursive: true });
  }
});

toolTest("a man page is made with the stylesheets that the machine's catalog names", [
  "bwrap",
  "make",
  "xsltproc",
  "/usr/share/xml/docbook/stylesheet/docbook-xsl/manpages/docbook.xsl",
], async () => {
  const sheet = "http://docbook.sourceforge.net/release/xsl/current/manpages/docbook.xsl";
  await using harness = await openBuilderHarness({
    projects: [{ name: "it", path: ".", build_system: "Make" }],
    builder: { sandbox: "bubblewrap", network: false },
    files: {
      "Makefile": `it.1: it.xml\n\txsltproc --nonet -o $@ ${sheet} $<\n`,
      "it.xml": '<refentry xmlns="http://docbook.org/ns/docbook" version="5.0"><refmeta>' +
        "<refentrytitle>it</refentrytitle><manvolnum>1</manvolnum></refmeta><refnamediv>" +
        "<refname>it</refname><refpurpose>is</refpurpose></refnamediv></refentry>\n",
    },
  });
  const { result, lines } = await harness.build(await harness.pullRequest({ "x": "1" }));
  assert.equal(result.status, "Success", lines.join("\n"));
  assert.ok(lines.includes("Note: Writing it.1"), lines.join("\n"));
});

toolTest(
  "what a failed command missed in /etc is told with the way to show it",
  ["bwrap"],
  async () => {
    await using harness = await openBuilderHarness({
      projects: [custom("cat /etc/some-tool/data")],
      builder: { sandbox: "bubblewrap" },
    });
    const { lines } = await harness.build(await harness.pullRequest({ "x": "1" }));
    assert.match(lines.at(-2)!, /hides \/etc\/some-tool from builds: .*builder\.read_only_paths/);
    assert.equal(lines.at(-1), "build exited with code 1");
  },
);

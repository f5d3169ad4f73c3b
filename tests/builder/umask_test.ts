/** What builds find and make has the modes that it has for a developer, whatever umask the builder was given. */
import assert from "node:assert/strict";
import { createMonorepo } from "../../testing/monorepo.ts";
import { custom } from "./builder_verbs.ts";

const LOOK =
  'umask; stat -c %a . file run.sh sub sub/file "$TICKBORG_BUILD_DIR" "$HOME" | xargs; ' +
  "mkdir made; touch made/file; stat -c %a made made/file | xargs; stat -c 'link %F' link";

for (const sandbox of ["", "--no-sandbox"]) {
  Deno.test(`a builder with umask 077 builds as a developer does ${sandbox}`, async () => {
    const files = { "file": "1", "run.sh": "true\n", "sub/file": "1" };
    const monorepo = await createMonorepo({ files, projects: [custom(LOOK)] });
    try {
      await Deno.symlink("/etc/shadow", `${monorepo.workTree}/link`);
      await monorepo.commit("change", { "x": "1" });
      const main = new URL("../../main.ts", import.meta.url).pathname;
      const run = [Deno.execPath(), "run", "-A", "--frozen", main, "local"];
      const args = ["--repo", monorepo.workTree, "--base", "main", "--head", "change"];
      const { stdout, stderr } = await new Deno.Command("sh", {
        args: ["-c", 'umask 077; exec "$@"', "sh", ...run, ...args, ...(sandbox ? [sandbox] : [])],
        env: { NO_COLOR: "1" },
      }).output();
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.match(said, /^0022\n755 644 755 755 644 755 755\n755 644\nlink symbolic link$/m);
    } finally {
      await monorepo.close();
    }
  });
}

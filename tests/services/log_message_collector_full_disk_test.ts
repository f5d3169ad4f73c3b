/** The log collector on a disk that is really full: a small one that `bwrap` makes in memory. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

Deno.test({
  name: "Log messages wait for room on the disk in their order, and none is a dead letter",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const folder = await Deno.makeTempDir();
    const root = join(folder, "logs");
    const script = fileURLToPath(new URL("../support/full_disk_process.ts", import.meta.url));
    try {
      await Deno.mkdir(root);
      const { stdout, stderr } = await new Deno.Command("bwrap", {
        args: [
          ...["--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--die-with-parent"],
          ...["--size", `${1024 * 1024}`, "--tmpfs", root],
          ...[Deno.execPath(), "run", "-A", "--no-check", script],
          ...[join(folder, "broker.sqlite"), root],
        ],
      }).output();
      const [said, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.match(said!, /^\{/, errors);
      assert.deepEqual(JSON.parse(said!), {
        requeued: 40,
        isSame: true,
        dead: 0,
        retried: false,
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

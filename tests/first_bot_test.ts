/** Follows the README's steps to a bot of one's own: its configuration, its project list, its commands. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostSystem } from "../lib/messages/systems.ts";
import { startFakeGitHub } from "../testing/fake_github/mod.ts";
import { freeListens } from "../testing/fleet_config.ts";
import { createMonorepo } from "../testing/monorepo.ts";
import { until } from "../testing/waiting.ts";
import { tickborg } from "./commands/run.ts";
import { inFolder } from "./support/in_folder.ts";
import { allOf } from "./support/documents.ts";

const MAIN = fileURLToPath(new URL("../main.ts", import.meta.url));
const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));
const SECTION = README.split(/^## /m).find((part) => part.startsWith("Run your own bot"))!;

/** The blocks of the section in a language, without the indentation of the list that they are in. */
const blocks = (language: string) =>
  allOf(SECTION, new RegExp(`^ *\`\`\`${language}\n([^]*?)^ *\`\`\``, "gm"), 1)
    .map((block) => block.replaceAll(/^ {3}/gm, ""));

const [CONFIG, LIST] = blocks("json").map((text) => JSON.parse(text));
const COMMANDS = blocks("bash").flatMap((block) => block.trim().split("\n"));

/** Runs a command of the README's in a folder that plays the clone of Tickborg. */
async function typed(command: string, folder: string) {
  assert.ok(COMMANDS.includes(command), `the README has: ${command}`);
  const [, words] = /main\.ts (.*)/.exec(command) ?? [];
  if (words !== undefined) return await tickborg(words.split(" "), { cwd: folder });
  const { code, stderr } = await new Deno.Command("sh", { args: ["-c", command], cwd: folder })
    .output();
  return { code, out: "", err: new TextDecoder().decode(stderr) };
}

const succeeded = ({ code, out, err }: Awaited<ReturnType<typeof typed>>) =>
  assert.equal(code, 0, out + err);

const START = "npx -y deno@2.9.6 run -A main.ts";

Deno.test("the README's steps lead to a bot that builds a pull request", () =>
  inFolder(async (folder) => {
    const { owner, name } = /^(?<owner>.*)\/(?<name>.*)$/.exec(CONFIG.runner.repos[0])!.groups!;
    const [project] = LIST.projects;
    await using made = new AsyncDisposableStack();
    const monorepo = await createMonorepo({
      owner: owner!,
      name: name!,
      files: { [`${project.path}/Makefile`]: "all:\n\techo one\n" },
      projects: [{ ...project, build_system: "Make" }],
    });
    made.defer(() => monorepo.close());
    const github = await startFakeGitHub({ appId: CONFIG.github_app.app_id });
    made.defer(() => github.close());
    const repository = github.addRepository(monorepo);
    const listens = freeListens();

    for (const command of COMMANDS.filter((command) => !command.includes("main.ts"))) {
      succeeded(await typed(command, folder));
    }
    await Deno.writeTextFile(join(folder, CONFIG.github_app.private_key), github.app.privateKey);
    // Other ports than those of other tests, the fake GitHub, and the machine that this is.
    const config = structuredClone(CONFIG);
    config.build.system = hostSystem();
    config.github = {
      api_url: github.url,
      systems: [hostSystem()],
      untrusted_systems: [hostSystem()],
    };
    config.github_webhook_receiver.listen = `127.0.0.1:${listens.receiver}`;
    config.log_api_config.listen = `127.0.0.1:${listens.logs}`;
    config.log_api_config.serve_root = `http://localhost:${listens.logs}`;
    config.stats.listen = `127.0.0.1:${listens.stats}`;
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify(config));
    succeeded(await typed(`${START} check-config --online`, folder));

    assert.ok(COMMANDS.includes(`${START} all`));
    const all = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--frozen", MAIN, "all"],
      cwd: folder,
      stdout: "null",
      stderr: "null",
    }).spawn();
    made.defer(async () => {
      all.kill("SIGTERM");
      assert.equal((await all.status).code, 0);
    });
    await until("status to exit with 0", async () => {
      const { code } = await typed(`${START} status`, folder);
      return code === 0 || undefined;
    });
    github.setWebhook({
      url: `http://127.0.0.1:${listens.receiver}/github-webhook`,
      secret: (await Deno.readTextFile(
        join(folder, CONFIG.github_webhook_receiver.webhook_secret_file),
      )).trim(),
    });
    const headSha = await monorepo.commit("change", {
      [`${project.path}/Makefile`]: "all:\n\techo two\n",
    });
    await repository.openPullRequest({ headSha, headRef: "change", title: "Two", author: "ada" });
    await github.waitForCheckRun("tickborg", "success", { headSha });
  }));

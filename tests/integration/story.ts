/** The pipeline's stories, told once and run on every broker. */
import assert from "node:assert/strict";
import { hostSystem } from "../../lib/messages/systems.ts";
import { startFleet } from "../../testing/fleet.ts";
import type { Vhost } from "../../testing/rabbitmq.ts";

const SYSTEM = hostSystem();
const shell = (command: string) => ({ Custom: { command } });

const projects = [
  { name: "core", path: "core", build_system: shell("sh build.sh"), labels: ["core"] },
  {
    name: "app",
    path: "app",
    build_system: shell("echo app; cat ../core/version"),
    test_command: "echo tested; test -f ../core/version",
    depends_on: ["core"],
  },
  { name: "docs.d", path: "docs", build_system: shell("exit 3") },
];
const files = {
  "core/build.sh": "echo building core\n",
  "core/version": "1\n",
  "docs/x": "x\n",
  "app/a": "",
};

/** Registers the stories for one broker; `vhost` is undefined for the embedded one. */
export function tellStories(
  broker: string,
  vhost: () => Promise<Vhost | undefined>,
  ignore = false,
) {
  async function fleetFor() {
    const host = await vhost();
    return await startFleet({ files, projects, ...(host && { vhost: host }) });
  }

  Deno.test({
    name: `${broker}: a pull request becomes labels, builds, logs and check runs`,
    ignore,
    async fn() {
      const fleet = await fleetFor();
      try {
        const pull = await fleet.openPullRequest({
          title: "core: two",
          files: { "core/version": "2\n" },
        });
        const core = await fleet.expectCheck(pull, `core on ${SYSTEM}`, "success");
        const app = await fleet.expectCheck(pull, `app on ${SYSTEM}`, "success");
        await fleet.expectEvaluation(pull, "success");
        assert.deepEqual(pull.labels, ["core"]);
        assert.match(await fleet.log(core), /building core/);
        assert.match(
          await fleet.log(app),
          /^2$/m,
          "the app was built with the pull request merged in",
        );
        await fleet.expectCheck(pull, "tickborg", "success");
        const names = fleet.repository.checkRuns(pull.headSha).map(({ name }) => name).sort();
        assert.deepEqual(names, [`app on ${SYSTEM}`, `core on ${SYSTEM}`, "tickborg"]);
        assert.ok(
          core.history.every((state, index) => index === 0 || state !== core.history[index - 1]),
        );
      } finally {
        await fleet.close();
      }
    },
  });

  Deno.test({
    name: `${broker}: a failing build is red and shows its command`,
    ignore,
    async fn() {
      const fleet = await fleetFor();
      try {
        const pull = await fleet.openPullRequest({ title: "docs", files: { "docs/x": "y\n" } });
        const check = await fleet.expectCheck(pull, `docs.d on ${SYSTEM}`, "failure");
        assert.match(`${check.summary}\n${check.text}`, /exit 3/);
      } finally {
        await fleet.close();
      }
    },
  });

  Deno.test({
    name: `${broker}: a comment has a project tested, and a redelivered webhook changes nothing`,
    ignore,
    async fn() {
      const fleet = await fleetFor();
      try {
        const pull = await fleet.openPullRequest({ title: "docs", files: { "docs/x": "z\n" } });
        await fleet.expectCheck(pull, `docs.d on ${SYSTEM}`, "failure");
        const comment = await fleet.comment(pull, "Thanks!\n@tickbot test app");
        const check = await fleet.expectCheck(pull, `app on ${SYSTEM}`, "success");
        assert.match(await fleet.log(check), /^tested$/m);
        assert.deepEqual(comment.reactions, ["eyes"]);
        const before = JSON.stringify(fleet.repository.checkRuns(pull.headSha));
        for (
          const delivery of fleet.github.deliveries.filter(({ event }) => event !== "check_run")
            .slice()
        ) {
          await fleet.github.redeliver(delivery);
        }
        const next = await fleet.openPullRequest({
          title: "core",
          files: { "core/version": "3\n" },
        });
        await fleet.expectCheck(next, `core on ${SYSTEM}`, "success");
        assert.equal(JSON.stringify(fleet.repository.checkRuns(pull.headSha)), before);
      } finally {
        await fleet.close();
      }
    },
  });

  Deno.test({
    name: `${broker}: a review and a comment on code have projects built and tested`,
    ignore,
    async fn() {
      const fleet = await fleetFor();
      try {
        const pull = await fleet.openPullRequest({ title: "docs", files: { "docs/x": "r\n" } });
        await fleet.expectCheck(pull, `docs.d on ${SYSTEM}`, "failure");
        const { repository } = fleet;
        const onCode = await repository
          .reviewComment(pull.number, "@tickbot: build core", { author: "ada" });
        await fleet.expectCheck(pull, `core on ${SYSTEM}`, "success");
        assert.deepEqual(onCode.reactions, ["eyes"]);
        await repository.review(pull.number, "Nice!\n\n@tickbot test app", { author: "ada" });
        const check = await fleet.expectCheck(pull, `app on ${SYSTEM}`, "success");
        assert.match(await fleet.log(check), /^tested$/m);
        const answers = repository.comments(pull.number).filter(({ byApp }) => byApp);
        assert.deepEqual(answers.map(({ body }) => body.split("\n").at(-1)), ["@ada 👀"]);
      } finally {
        await fleet.close();
      }
    },
  });

  Deno.test({
    name: `${broker}: a push to main is built and its log can be read`,
    ignore,
    async fn() {
      const fleet = await fleetFor();
      try {
        const before = await fleet.monorepo.git("rev-parse", "main");
        const after = await fleet.monorepo.commit("main", { "core/version": "9\n" });
        await fleet.repository.push({ ref: "main", before, after });
        const pushed = { headSha: after };
        const check = await fleet.github.waitForCheckRun(`core on ${SYSTEM}`, "success", pushed);
        assert.match(await fleet.log(check), /building core/);
      } finally {
        await fleet.close();
      }
    },
  });

  Deno.test({
    name:
      `${broker}: a branch that builds, but not with main, is red whatever is pushed or built last`,
    ignore,
    async fn() {
      const fleet = await fleetFor();
      try {
        const headSha = await fleet.monorepo.commit("topic", { "core/version": "2\n" });
        await fleet.monorepo.commit("main", { "core/build.sh": "exit 4\n" });
        const head = { headSha, headRef: "topic", sameRepository: true };
        const pull = await fleet.repository.openPullRequest(head);
        const failed = await fleet.expectCheck(pull, `core on ${SYSTEM}`, "failure");

        await fleet.repository.push({ ref: "topic", after: headSha });
        // Built behind it, by the one builder: when this one shows, that one has been told of too.
        const from = { from: "topic" };
        const witness = await fleet.monorepo.commit("witness", { "docs/x": "w\n" }, from);
        await fleet.repository.push({ ref: "witness", before: headSha, after: witness });
        const behind = { headSha: witness };
        await fleet.github.waitForCheckRun(`docs.d on ${SYSTEM}`, "failure", behind);
        assert.equal(failed.conclusion, "failure");
        assert.match(`${failed.detailsUrl}`, new RegExp(`\\.${pull.number}&`));
      } finally {
        await fleet.close();
      }
    },
  });
}

import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { parse } from "yaml";
import { alerts } from "../../deploy/files/alerts.ts";
import { QUEUE_RULES } from "../../lib/monitoring/health.ts";
import { QueueMetrics } from "../../lib/monitoring/queue_metrics.ts";
import { EventCounters } from "../../lib/monitoring/metrics.ts";
import { roleOf } from "../../services/roles.ts";
import { startFleet } from "../../testing/fleet.ts";
import { freePort } from "../../testing/ports.ts";
import { until } from "../../testing/waiting.ts";
import { RecordingBroker } from "../support/recording_broker.ts";
import { find, repositoryFile, repositoryPath, run, succeed, without } from "./tools.ts";
import { inFolder } from "../support/in_folder.ts";

const PROMETHEUS = repositoryPath("deploy/prometheus");

Deno.test({
  name: "Prometheus accepts its configuration and rules",
  ignore: without("promtool"),
  async fn() {
    await succeed(["promtool", "check", "config", "--lint=all", "--lint-fatal", "prometheus.yml"], {
      cwd: PROMETHEUS,
    });
  },
});

/** The alerts that `alerts_test.yml` makes fire. */
function expectedAlerts(): { alertname: string; exp_labels: Record<string, string> }[] {
  interface RuleTest {
    readonly alertname: string;
    readonly exp_alerts: readonly { exp_labels: Record<string, string> }[];
  }
  const { tests } = parse(repositoryFile("deploy/prometheus/alerts_test.yml")) as {
    tests: { alert_rule_test: RuleTest[] }[];
  };
  return tests.flatMap(({ alert_rule_test }) => alert_rule_test)
    .flatMap(({ alertname, exp_alerts }) => exp_alerts.map((alert) => ({ alertname, ...alert })));
}

Deno.test({
  name: "each alert fires when it should, and none in a healthy fleet",
  ignore: without("promtool"),
  async fn() {
    await succeed(["promtool", "test", "rules", "alerts_test.yml"], { cwd: PROMETHEUS });
    const expected = expectedAlerts();
    for (const { alert, labels } of alerts()) {
      const fires = expected.some(({ alertname, exp_labels }) =>
        alertname === alert &&
        Object.entries(labels).every(([key, value]) => exp_labels[key] === value)
      );
      assert.ok(fires, `alerts_test.yml makes no ${alert} ${JSON.stringify(labels)} fire`);
    }
  },
});

Deno.test({
  name: "a rule that never fires fails the test above",
  ignore: without("promtool"),
  fn: () =>
    inFolder(async (folder) => {
      const rules = repositoryFile("deploy/prometheus/alerts.yml").replace(">= 20", ">= 2000");
      await Deno.writeTextFile(`${folder}/alerts.yml`, rules);
      await Deno.copyFile(`${PROMETHEUS}/alerts_test.yml`, `${folder}/alerts_test.yml`);
      const { code } = await run(["promtool", "test", "rules", "alerts_test.yml"], { cwd: folder });
      assert.notEqual(code, 0);
    }),
});

Deno.test("alerts have the document's thresholds and those of tickborg status", () => {
  const { groups } = parse(repositoryFile("deploy/prometheus/alerts.yml"));
  const expressions: string[] = groups[0].rules.map(({ expr }: { expr: string }) => expr);
  assert.ok(
    expressions.includes('tickborg_queue_messages{queue="mass-rebuild-check-inputs"} >= 50'),
  );
  assert.ok(expressions.includes('tickborg_queue_messages{queue=~"build-inputs-.+"} >= 20'));
  for (const { queue, role, below } of QUEUE_RULES.filter(({ role }) => role !== "builder")) {
    const deep = queue === "tickborg.dead-letters"
      ? "tickborg_dead_letters > 0"
      : `tickborg_queue_messages{queue="${queue}"} >= ${below}`;
    assert.ok(expressions.includes(deep), queue);
    const alone = `tickborg_queue_consumers{queue="${queue}"} < 1`;
    assert.equal(expressions.includes(alone), role !== undefined, queue);
  }
});

Deno.test("Prometheus scrapes every endpoint of the role table on its port", () => {
  const { scrape_configs } = parse(repositoryFile("deploy/prometheus/prometheus.yml"));
  const targets = Object.fromEntries(
    scrape_configs.map((job: Record<string, unknown>) => [
      job.job_name,
      `${(job.static_configs as { targets: string[] }[])[0]!.targets[0]}${job.metrics_path ?? ""}`,
    ]),
  );
  assert.deepEqual(targets, {
    "tickborg-stats": `127.0.0.1:${roleOf("stats").port}`,
    "tickborg-webhook-receiver": `127.0.0.1:${roleOf("github-webhook-receiver").port}/health`,
    "tickborg-log-collector": `127.0.0.1:${roleOf("log-message-collector").port}/health`,
  });
});

/** A panel of the dashboard. */
interface Panel {
  readonly title: string;
  readonly gridPos: { x: number; y: number; w: number; h: number };
  readonly targets: readonly { expr: string }[];
}

function panelsOfDashboard(): Panel[] {
  return JSON.parse(repositoryFile("deploy/grafana/tickborg.json")).panels;
}

/** Names of all metrics that there are. */
async function metricNames(): Promise<Set<string>> {
  const registry = new Registry();
  new QueueMetrics(new RecordingBroker(), registry);
  new EventCounters(registry);
  return new Set(["up", ...(await registry.getMetricsAsJSON()).map(({ name }) => name)]);
}

/** The metrics that a query asks for. */
function asked(expression: string): string[] {
  return expression.match(/\b(tickborg_\w+|up)\b(?=[{[ )]|$)/g) ?? [];
}

Deno.test("alerts and the dashboard ask for metrics that there are", async () => {
  const known = await metricNames();
  const queries = panelsOfDashboard().flatMap(({ targets }) => targets.map(({ expr }) => expr));
  const expressions: string[] = [...alerts().map(({ expr }) => expr), ...queries];
  for (const expression of expressions) {
    const names = asked(expression);
    assert.notEqual(names.length, 0, expression);
    for (const name of names) assert.ok(known.has(name), `${name} in ${expression}`);
  }
  for (const gauge of ["tickborg_queue_messages", "tickborg_queue_consumers"]) {
    assert.ok(queries.some((query) => asked(query).includes(gauge)), gauge);
  }
});

Deno.test({
  name: "the dashboard's queries are PromQL, its panels do not overlap",
  ignore: without("promtool"),
  fn: () =>
    inFolder(async (folder) => {
      const panels = panelsOfDashboard();
      const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      const rules = queries.map((expr, index) => ({ record: `query:${index}`, expr }));
      const file = JSON.stringify({ groups: [{ name: "dashboard", rules }] });
      await Deno.writeTextFile(`${folder}/rules.json`, file);
      await succeed(["promtool", "check", "rules", `${folder}/rules.json`]);
      const cells = new Set<string>();
      for (const { gridPos: { x, y, w, h }, title } of panels) {
        assert.ok(x + w <= 24, title);
        for (let column = x; column < x + w; column++) {
          for (let row = y; row < y + h; row++) {
            assert.ok(!cells.has(`${column} ${row}`), `${title} covers another panel`);
            cells.add(`${column} ${row}`);
          }
        }
      }
    }),
});

/** Values of a query by job; none while Prometheus does not answer. */
async function askPrometheus(port: number, query: string): Promise<Record<string, string>> {
  const address = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`;
  try {
    const { data } = await (await fetch(address)).json() as {
      data: { result: { metric: { job: string }; value: [number, string] }[] };
    };
    return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job, value[1]]));
  } catch {
    return {};
  }
}

Deno.test({
  name: "a real Prometheus with the shipped configuration sees real roles as up, and as down",
  ignore: without("prometheus"),
  fn: () =>
    inFolder(async (folder) => {
      const fleet = await startFleet({
        files: {},
        projects: [],
        roles: ["github-webhook-receiver", "log-message-collector", "stats"],
      });
      const { listens } = fleet;
      let closed: Promise<void> | undefined;
      const close = () => closed ??= fleet.close();
      const configuration = repositoryFile("deploy/prometheus/prometheus.yml")
        .replaceAll("15s", "1s")
        .replace("127.0.0.1:8080", `127.0.0.1:${listens.receiver}`)
        .replace("127.0.0.1:8081", `127.0.0.1:${listens.logs}`)
        .replace("127.0.0.1:9090", `127.0.0.1:${listens.stats}`);
      await Deno.writeTextFile(`${folder}/prometheus.yml`, configuration);
      await Deno.copyFile(`${PROMETHEUS}/alerts.yml`, `${folder}/alerts.yml`);
      const port = freePort();
      const prometheus = new Deno.Command(find("prometheus")!, {
        args: [
          `--config.file=${folder}/prometheus.yml`,
          `--storage.tsdb.path=${folder}/data`,
          `--web.listen-address=127.0.0.1:${port}`,
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      const query = (expression: string) => askPrometheus(port, expression);
      const jobs = ["tickborg-log-collector", "tickborg-stats", "tickborg-webhook-receiver"];
      const sees = (value: string) =>
        until(`every job with up = ${value}`, async () => {
          const up = await query("up");
          return jobs.every((job) => up[job] === value) ? up : undefined;
        });
      try {
        await sees("1");
        const connected = await query("tickborg_broker_connected");
        assert.deepEqual(jobs.map((job) => connected[job]), ["1", "1", "1"]);
        await close();
        await sees("0");
      } finally {
        prometheus.kill("SIGKILL");
        await prometheus.status;
        await close();
      }
    }),
});

/** What `tickborg status` looks like to people and to Nagios. */
import assert from "node:assert/strict";
import { duration, nagiosLine, render, type StatusReport } from "../../commands/status_text.ts";

const ESCAPE = "\x1b";

const REPORT: StatusReport = {
  level: "fail",
  time: "2026-01-01T00:00:00.000Z",
  version: "1.2.3",
  broker: { level: "ok", why: "", address: "mq:5672 /" },
  queues: [{
    queue: "build-inputs-x86_64-linux",
    role: "builder",
    below: 20,
    state: { ready: 3, consumers: 0, oldestSeconds: 7_300 },
    level: "fail",
    why: "No consumer: is builder running?",
  }, {
    queue: "tickborg.dead-letters",
    below: 1,
    state: { ready: 1, consumers: 0 },
    level: "warn",
    why: "Messages could not be handled: see tickborg dead-letters list",
  }],
  endpoints: [{
    role: "stats",
    url: "http://127.0.0.1:9090/health",
    status: 200,
    version: "1.2.2",
    level: "ok",
    why: "",
  }],
};

Deno.test("the table stands in columns", () => {
  assert.equal(
    render(REPORT, { colour: false }),
    `
OK    broker mq:5672 /

      queue                      waiting  healthy  consumers  oldest
FAIL  build-inputs-x86_64-linux        3     < 20          0      2h  No consumer: is builder running?
WARN  tickborg.dead-letters            1      < 1          0       -  Messages could not be handled: see tickborg dead-letters list

      endpoint  address                       answer  version
OK    stats     http://127.0.0.1:9090/health     200    1.2.2

2 of 4 need attention`.slice(1),
  );
});

Deno.test("a broker that nobody looked at is neither well nor counted", () => {
  const broker = { address: "embedded" };
  const [endpoint] = REPORT.endpoints;
  const down = { ...endpoint!, level: "fail", why: "No answer" } as const;
  const report = { ...REPORT, broker, queues: [], endpoints: [down] };
  const lines = render(report, { colour: false }).split("\n");
  assert.equal(lines[0], "      broker embedded (not looked at)");
  assert.equal(lines.at(-1), "1 of 1 need attention");
  assert.equal(nagiosLine(report), "TICKBORG CRITICAL - stats: No answer");
  const nothing = { ...report, level: "ok", endpoints: [] } as const;
  assert.match(render(nothing, { colour: false }), /\nNothing was there to be looked at$/);
  assert.equal(nagiosLine(nothing), "TICKBORG OK - Nothing was there to be looked at");
});

Deno.test("what was not looked at is never said to be well", () => {
  const [endpoint] = REPORT.endpoints;
  const github = { address: "https://api.github.com", unseen: "no key" };
  const well = {
    ...REPORT,
    level: "ok",
    broker: { address: "embedded" },
    queues: [],
    endpoints: [endpoint!],
    github,
    notLookedAt: ["the queues of the embedded broker", "GitHub (no key)"],
  } as const;
  const said = "What was looked at is as it should be; " +
    "not looked at: the queues of the embedded broker, GitHub (no key)";
  const text = render(well, { colour: false });
  assert.ok(
    text.endsWith(`\n\n      GitHub https://api.github.com (not looked at)\n\n${said}`),
    text,
  );
  assert.equal(nagiosLine(well), `TICKBORG OK - ${said}`);
});

Deno.test("a GitHub that refuses the App, and repositories that are not served, need attention", () => {
  const why = "sends webhooks (3) and is not in runner.repos: nothing of it is built";
  const report = {
    ...REPORT,
    queues: [],
    endpoints: [],
    github: { level: "fail", why: "no such key", address: "https://api.github.com" },
    unserved: [{ repository: "acme/new", webhooks: 3, level: "warn", why }],
  } as const;
  const text = render(report, { colour: false });
  assert.match(text, /^FAIL {2}GitHub https:\/\/api\.github\.com {2}no such key$/m);
  assert.match(text, /^WARN {2}acme\/new {4}sends webhooks \(3\) and is not in runner\.repos/m);
  assert.match(text, /\n2 of 3 need attention$/);
  assert.equal(nagiosLine(report), `TICKBORG CRITICAL - GitHub: no such key; acme/new: ${why}`);
});

Deno.test("colours mark the levels and nothing else", () => {
  const colours = new RegExp(`${ESCAPE}\\[(\\d+)m(\\w+) *${ESCAPE}\\[0m`, "g");
  const text = render(REPORT, { colour: true });
  assert.deepEqual([...text.matchAll(colours)].map(([, colour, word]) => `${word} ${colour}`), [
    "OK 32",
    "FAIL 31",
    "WARN 33",
    "OK 32",
  ]);
  assert.equal(
    text.replaceAll(colours, (_, __, word) => word.padEnd(4)),
    render(REPORT, {
      colour: false,
    }),
  );
});

Deno.test("a Nagios plug-in says it in one line, worst first", () => {
  assert.equal(
    nagiosLine(REPORT),
    "TICKBORG CRITICAL - build-inputs-x86_64-linux: No consumer: is builder running?; " +
      "tickborg.dead-letters: Messages could not be handled: see tickborg dead-letters list | " +
      "'build-inputs-x86_64-linux'=3;;19;0 'dead letters'=1;;0;0",
  );
});

Deno.test("durations are read at a glance", () => {
  assert.deepEqual([0, 119, 120, 7_199, 7_200, 172_799, 172_800].map(duration), [
    "0s",
    "119s",
    "2m",
    "120m",
    "2h",
    "48h",
    "2d",
  ]);
});

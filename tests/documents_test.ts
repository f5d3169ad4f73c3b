/** Documents: each one that is named is there, the page of the wire names all of it, commands exist. */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { COMMANDS } from "../commands/table.ts";
import { HEADER } from "../lib/broker/envelope.ts";
import { BuildJob } from "../lib/messages/build_job.ts";
import { BuildLogBatch, BuildLogMsg, BuildLogStart } from "../lib/messages/build_log.ts";
import { BuildResult } from "../lib/messages/build_result.ts";
import { BuildStarted } from "../lib/messages/build_started.ts";
import { Cancellation } from "../lib/messages/cancellation.ts";
import { CheckWatch } from "../lib/messages/check_watch.ts";
import { EvaluationJob } from "../lib/messages/evaluation_job.ts";
import { EvaluationNotice, OverallCheck } from "../lib/messages/evaluation_notice.ts";
import { EventMessage } from "../lib/messages/event.ts";
import { QueuedBuildJobs } from "../lib/messages/queued_build_jobs.ts";
import { Pr, PushTrigger, Repo } from "../lib/messages/repo.ts";
import { SYSTEMS } from "../lib/messages/systems.ts";
import { buildQueue, TOPOLOGY } from "../lib/broker/topology.ts";
import { isRoleName, ROLE_NAMES, roleOf } from "../services/roles.ts";
import { allOf } from "./support/documents.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Folders that are not ours, or hold the text of others. */
const SKIPPED = /^(\.git|node_modules|dist|coverage|secrets|config|\.tickborg|tests\/data)(\/|$)/;

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (SKIPPED.test(path)) return [];
    return isDirectory ? filesIn(path) : [path];
  });
}

const files = filesIn(".");
const pages = files.filter((path) => path.endsWith(".md"));
const read = (path: string) => Deno.readTextFileSync(join(root, path));
const exists = (path: string) => files.includes(path);

/** Addresses of the web, whose pages are not ours. */
const ADDRESS = /https?:\/\/[^\s)]+/g;

/** Comments as running text: names of documents in strings are data, such as a file in a made-up commit. */
function commentsOf(path: string): string {
  const comments = /\.(ts|js|css|nix|sh|ya?ml|conf)$/.test(path)
    ? [...read(path).matchAll(/(?<=^|\s)(?:\/\*[^]*?\*\/|(?:\/\/|#) .*)/gm)].map(([text]) => text)
    : path === "Dockerfile"
    ? [read(path)]
    : [];
  return comments.join("\n").replaceAll(ADDRESS, "").replaceAll(/^\s*(\*|\/\/|#)/gm, " ")
    .replaceAll(/\s+/g, " ");
}

interface Citation {
  readonly from: string;
  /** From the root. */
  readonly page: string;
  readonly section?: string;
}

const CITATION = /([\w./-]*\w\.md)\b[`)]*(?:, "([^"]+)")?/g;

/** Documents that a source's comments name: by their path from the root. */
function citedBySource(from: string): Citation[] {
  return [...commentsOf(from).matchAll(CITATION)].map(([, page, section]) => ({
    from,
    page: page!,
    ...(section === undefined ? {} : { section }),
  }));
}

/** Documents that a page names: by their path from the root, or from the page. */
function citedByPage(from: string): Citation[] {
  const text = read(from).replaceAll(ADDRESS, "")
    .replaceAll(/\[[^\]]*\]\(([^)#\s]+)[^)]*\)/g, "$1").replaceAll(/\s+/g, " ");
  return [...text.matchAll(CITATION)].map(([, page, section]) => {
    const beside = relative(root, join(root, dirname(from), page!));
    return {
      from,
      page: exists(beside) ? beside : page!,
      ...(section === undefined ? {} : { section }),
    };
  });
}

const citations = [
  ...files.filter((path) => !path.endsWith(".md")).flatMap(citedBySource),
  ...pages.flatMap(citedByPage),
];

Deno.test("every document that a source or a page names is there", () => {
  assert.ok(citations.length > 40, `${citations.length} citations`);
  assert.deepEqual(citations.filter(({ page }) => !exists(page)), []);
});

Deno.test("every section of a document that is named is there", () => {
  const named = citations.filter(({ section }) => section !== undefined);
  assert.ok(named.length > 15, `${named.length} sections are named`);
  const headings = (page: string) =>
    [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!);
  assert.deepEqual(named.filter(({ page, section }) => !headings(page).includes(section!)), []);
});

/** Links, and names of files, that pages have at least. */
const AT_LEAST: Readonly<Record<string, { links: number; paths: number }>> = {
  "README.md": { links: 4, paths: 0 },
  "CONTRIBUTING.md": { links: 3, paths: 20 },
  "docs/architecture.md": { links: 4, paths: 15 },
  "docs/deployment.md": { links: 0, paths: 5 },
};

for (const page of pages) {
  Deno.test(`every link, file, task and command in ${page} is there`, async () => {
    const text = read(page);
    const { links, paths } = AT_LEAST[page] ?? { links: 0, paths: 0 };
    for (const target of allOf(text, /\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)/g, links)) {
      assert.ok(exists(relative(root, join(root, dirname(page), target))), target);
    }
    const named =
      /`((?:services|lib|commands|testing|tests|deploy|docs|\.github|\.ci)\/[\w./-]+)`/g;
    for (const path of allOf(text, named, paths)) await Deno.stat(join(root, path));
    const { tasks } = JSON.parse(read("deno.json"));
    for (const name of allOf(text, /(?:deno|deno@[\d.]+) task ([a-z-]+)/g, 0)) {
      assert.ok(name in tasks, `deno task ${name}`);
    }
    for (const name of allOf(text, /(?:main\.ts|`tickborg|bin\/tickborg) ([a-z-]+)/g, 0)) {
      assert.ok(name in COMMANDS || name.startsWith("--") || isRoleName(name), name);
    }
  });
}

/** The messages, by the names that they have in the document. */
const MESSAGES: Readonly<Record<string, z.ZodObject>> = {
  Repo,
  Pr,
  PushTrigger,
  EvaluationJob,
  BuildJob,
  QueuedBuildJobs,
  BuildResult: BuildResult.options[0],
  BuildStarted,
  BuildLogStart,
  BuildLogMsg,
  BuildLogBatch,
  Cancellation,
  CheckWatch,
  EvaluationNotice,
  OverallCheck,
  EventMessage,
};

Deno.test("docs/protocol.md names every exchange, queue, header, message and field", () => {
  const text = read("docs/protocol.md");
  const perSystem = SYSTEMS.map(buildQueue);
  const names = [...TOPOLOGY.exchanges, ...TOPOLOGY.queues].map(({ name }) => name);
  const wanted = [...names.filter((name) => !perSystem.includes(name)), ...Object.values(HEADER)];
  assert.deepEqual([...wanted, ...SYSTEMS].filter((name) => !text.includes(`\`${name}\``)), []);
  for (const [message, { shape }] of Object.entries(MESSAGES)) {
    const paragraph = text.split("\n\n").flatMap((part) => part.split(/\n(?=- )/))
      .find((part) => part.includes(`**${message}**`));
    assert.ok(paragraph, message);
    const missing = Object.keys(shape).filter((field) =>
      !new RegExp(`\\b${field}\\b`).test(paragraph)
    );
    assert.deepEqual(missing, [], message);
  }
});

Deno.test("docs/architecture.md has what every role consumes, publishes and serves", () => {
  const rows = read("docs/architecture.md").split("\n");
  for (const name of ROLE_NAMES) {
    const row = rows.find((line) => line.startsWith(`| \`${name}\``));
    assert.ok(row, name);
    const { consumes, publishes, subscribes = [], port } = roleOf(name);
    const wanted = [
      ...consumes,
      ...publishes,
      ...subscribes,
      ...(port === undefined ? [] : [`${port}`]),
    ];
    for (const thing of wanted) assert.ok(row.includes(`\`${thing}\``), `${name}: ${thing}`);
  }
});

Deno.test("docs/architecture.md has every room of lib", () => {
  const text = read("docs/architecture.md");
  const rooms = [...Deno.readDirSync(join(root, "lib"))].filter(({ isDirectory }) => isDirectory);
  assert.ok(rooms.length > 5);
  assert.deepEqual(rooms.filter(({ name }) => !text.includes(`\`lib/${name}/\``)), []);
});

Deno.test("CONTRIBUTING.md draws the path of each role in at most eight files", () => {
  const section = read("CONTRIBUTING.md").split(/^## /m)
    .find((part) => part.startsWith("From a webhook"));
  assert.ok(section);
  const steps = section.split(/^\d+\. /m).slice(1).map((step) => step.split("\n\n")[0]!);
  assert.ok(steps.length >= 6, `${steps.length} steps`);
  for (const step of steps) {
    const named = new Set(allOf(step, /`((?:services|lib)\/[\w./-]+\.ts)`/g, 1));
    assert.ok(named.size <= 8, `${[...named].join(", ")}`);
  }
});

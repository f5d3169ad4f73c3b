/** What the fake GitHub answers: one entry for each operation of its API that Tickborg may use. */
import type { FakeApp } from "./app.ts";
import type { FakeRepository, World } from "./repository.ts";
import type { Shapes } from "./shapes.ts";
import type { ContentWrite, FakeCheckRun, FakeDelivery } from "./state.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** A request that was understood: the operation's parameters and body. */
export interface Call {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Json;
  /** Set for paths under `/repos/{owner}/{repo}`. */
  readonly repository: FakeRepository;
  readonly request: string;
  /** The address without the query. */
  readonly url: string;
}

/** What the operations work with. */
export interface Server extends World {
  readonly app: FakeApp;
  readonly shapes: Shapes;
  readonly deliveries: FakeDelivery[];
  redeliver(delivery: FakeDelivery): void;
}

/** An answer, before it is checked. */
export interface Answer {
  readonly status: number;
  readonly body?: Json;
  readonly headers?: Record<string, string>;
  /** Bytes instead of JSON. */
  readonly raw?: Uint8Array<ArrayBuffer>;
}

/** An operation: who may ask, and what is answered. */
export interface Route {
  readonly as: "app" | "installation";
  answer(call: Call, server: Server): Answer | Promise<Answer>;
}

/** An answer that refuses, in GitHub's form. */
export function refusal(status: number, message: string): Answer {
  return { status, body: { message, documentation_url: "https://docs.github.com/rest" } };
}

const NOT_FOUND = refusal(404, "Not Found");
const NO_COMMIT = (sha: string) => refusal(422, `No commit found for SHA: ${sha}`);

/** A page of a list, with the `Link` header that leads to the others. */
function page(items: readonly Json[], call: Call, wrap = (part: readonly Json[]): Json => part) {
  const size = Math.min(Number(call.query.get("per_page") ?? 30), 100);
  const number = Number(call.query.get("page") ?? 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const link = (rel: string, to: number) => {
    const query = new URLSearchParams(call.query);
    query.set("page", String(to));
    return `<${call.url}?${query}>; rel="${rel}"`;
  };
  const body = wrap(items.slice((number - 1) * size, number * size));
  if (number >= last) return { status: 200, body };
  return {
    status: 200,
    body,
    headers: { link: `${link("next", number + 1)}, ${link("last", last)}` },
  };
}

function wrote(call: Call, server: Server, write: Pick<ContentWrite, "kind" | "sha" | "number">) {
  call.repository.contentWrites.push({
    ...write,
    request: call.request,
    at: Date.parse(server.time()),
  });
  server.changed();
}

function issueOf(call: Call): number | undefined {
  const number = Number(call.path.issue_number ?? call.path.pull_number);
  return call.repository.pulls.has(number) ? number : undefined;
}

/** The operations, by method and path as the description writes them. */
export const ROUTES: Readonly<Record<string, Route>> = {
  "GET /repos/{owner}/{repo}/installation": {
    as: "app",
    answer: ({ repository }, { shapes, app }) =>
      repository.installed
        ? { status: 200, body: shapes.installation(repository, app.installationId) }
        : NOT_FOUND,
  },
  "POST /app/installations/{installation_id}/access_tokens": {
    as: "app",
    answer: ({ path }, { app, shapes }) => {
      if (Number(path.installation_id) !== app.installationId) return NOT_FOUND;
      const { token, expiresAt } = app.createToken();
      return { status: 201, body: shapes.token(token, expiresAt) };
    },
  },
  "GET /app/hook/deliveries": {
    as: "app",
    answer: (call, server) => {
      const size = Number(call.query.get("per_page") ?? 30);
      const cursor = Number(call.query.get("cursor") ?? Infinity);
      const older = server.deliveries.filter(({ id }) => id <= cursor).toReversed();
      const body = older.slice(0, size)
        .map((it) => server.shapes.delivery(it, server.app.installationId));
      const next = older[size]?.id;
      const link = `<${call.url}?cursor=${next}&per_page=${size}>; rel="next"`;
      return next === undefined ? { status: 200, body } : { status: 200, body, headers: { link } };
    },
  },
  "POST /app/hook/deliveries/{delivery_id}/attempts": {
    as: "app",
    answer: ({ path }, server) => {
      const delivery = server.deliveries.find(({ id }) => id === Number(path.delivery_id));
      if (!delivery) return NOT_FOUND;
      server.redeliver(delivery);
      return { status: 202, body: {} };
    },
  },
  "GET /repos/{owner}/{repo}/contents/{path}": {
    as: "installation",
    answer: async ({ repository, path, query }) => {
      const raw = await repository.fileAt(query.get("ref") ?? repository.defaultBranch, path.path!);
      if (!raw) return NOT_FOUND;
      const headers = { "content-type": "application/vnd.github.raw+json; charset=utf-8" };
      return { status: 200, raw, headers };
    },
  },
  "GET /repos/{owner}/{repo}/pulls/{pull_number}": {
    as: "installation",
    answer: ({ path, repository }, { shapes }) => {
      const pull = repository.pulls.get(Number(path.pull_number));
      return pull ? { status: 200, body: shapes.pull(repository, pull) } : NOT_FOUND;
    },
  },
  "GET /repos/{owner}/{repo}/pulls": {
    as: "installation",
    answer: (call, { shapes }) => {
      const state = call.query.get("state") ?? "open";
      const pulls = [...call.repository.pulls.values()]
        .filter((pull) => state === "all" || pull.state === state);
      const order = call.query.get("direction") === "asc" ? 1 : -1;
      const key = call.query.get("sort") === "updated" ? "updatedAt" : "createdAt";
      pulls.sort((a, b) => order * (a[key].localeCompare(b[key]) || a.number - b.number));
      return page(pulls.map((pull) => shapes.listedPull(call.repository, pull)), call);
    },
  },
  "GET /repos/{owner}/{repo}/commits/{ref}/statuses": {
    as: "installation",
    answer: async (call, { shapes }) => {
      const { repository, path } = call;
      if (!await repository.hasCommit(path.ref!)) return NOT_FOUND;
      return page(repository.statuses(path.ref!).map((it) => shapes.status(repository, it)), call);
    },
  },
  "POST /repos/{owner}/{repo}/statuses/{sha}": {
    as: "installation",
    answer: async (call, server) => {
      const { repository, body } = call;
      const sha = call.path.sha!;
      if (!await repository.hasCommit(sha)) return NO_COMMIT(sha);
      if ([...body.description ?? ""].length > 140) {
        return refusal(
          422,
          "Validation Failed: description is too long (maximum is 140 characters)",
        );
      }
      const status = {
        id: server.nextId(),
        sha,
        context: body.context ?? "default",
        state: body.state,
        description: body.description ?? "",
        targetUrl: body.target_url ?? undefined,
        createdAt: server.time(),
      };
      repository.allStatuses.push(status);
      wrote(call, server, { kind: "status", sha });
      return { status: 201, body: server.shapes.status(repository, status) };
    },
  },
  "GET /repos/{owner}/{repo}/commits/{ref}/check-runs": {
    as: "installation",
    answer: async (call, { app, shapes }) => {
      const { repository, path, query } = call;
      if (!await repository.hasCommit(path.ref!)) return NO_COMMIT(path.ref!);
      const name = query.get("check_name");
      const appId = query.get("app_id");
      let runs = repository.checkRuns(path.ref!)
        .filter((run) => name === null || run.name === name)
        .filter(() => appId === null || Number(appId) === app.id);
      if ((query.get("filter") ?? "latest") === "latest") {
        runs = [...new Map(runs.map((run) => [run.name, run])).values()];
      }
      const all = runs.toReversed().map((run) => shapes.checkRun(repository, run));
      return page(all, call, (part) => ({ total_count: all.length, check_runs: part }));
    },
  },
  "POST /repos/{owner}/{repo}/check-runs": {
    as: "installation",
    answer: async (call, server) => {
      const { repository, body } = call;
      if (!await repository.hasCommit(body.head_sha)) return NO_COMMIT(body.head_sha);
      const run: FakeCheckRun = {
        id: server.nextId(),
        name: body.name,
        headSha: body.head_sha,
        history: [],
        ...checkRunState({ startedAt: server.time(), externalId: "" }, body, server),
      };
      run.history.push(run.conclusion ?? run.status);
      repository.allCheckRuns.push(run);
      wrote(call, server, { kind: "check run", sha: run.headSha });
      return { status: 201, body: server.shapes.checkRun(repository, run) };
    },
  },
  "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": {
    as: "installation",
    answer: (call, server) => {
      const { repository, body, path } = call;
      const run = repository.allCheckRuns.find(({ id }) => id === Number(path.check_run_id));
      if (!run) return NOT_FOUND;
      Object.assign(run, checkRunState(run, body, server));
      run.history.push(run.conclusion ?? run.status);
      wrote(call, server, { kind: "check run", sha: run.headSha });
      return { status: 200, body: server.shapes.checkRun(repository, run) };
    },
  },
  "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": {
    as: "installation",
    answer: (call, server) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      const names: string[] = (call.body.labels ?? call.body).map((it: Json) => it.name ?? it);
      if (names.some((name) => name.length > 50 || name === "")) {
        return refusal(422, "Validation Failed: name is too long (maximum is 50 characters)");
      }
      for (const name of names) {
        call.repository.recordLabel(number, name, { event: "labeled", byApp: true });
      }
      wrote(call, server, { kind: "label", number });
      return labelList(call, server, number);
    },
  },
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": {
    as: "installation",
    answer: (call, server) => {
      const number = issueOf(call);
      const name = call.path.name!;
      if (number === undefined || !call.repository.labels(number).includes(name)) {
        return refusal(404, "Label does not exist");
      }
      call.repository.recordLabel(number, name, { event: "unlabeled", byApp: true });
      wrote(call, server, { kind: "label", number });
      return labelList(call, server, number);
    },
  },
  "GET /repos/{owner}/{repo}/issues/{issue_number}/events": {
    as: "installation",
    answer: (call, { shapes }) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      const events = call.repository.labelEvents.filter((event) => event.number === number);
      return page(events.map((event) => shapes.labelEvent(call.repository, event)), call);
    },
  },
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": {
    as: "installation",
    answer: (call, { shapes }) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      const comments = call.repository.comments(number);
      return page(comments.map((comment) => shapes.comment(call.repository, comment)), call);
    },
  },
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": {
    as: "installation",
    answer: (call, server) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      if ([...call.body.body].length > 65_536) {
        return refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)");
      }
      const comment = {
        id: server.nextId(),
        number,
        body: call.body.body,
        author: "tickborg[bot]",
        authorType: "Bot" as const,
        authorAssociation: "NONE",
        byApp: true,
        createdAt: server.time(),
        reactions: [],
      };
      call.repository.allComments.push(comment);
      wrote(call, server, { kind: "comment", number });
      return { status: 201, body: server.shapes.comment(call.repository, comment) };
    },
  },
  "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": {
    as: "installation",
    answer: (call, server) => {
      const { repository, path, body } = call;
      const comment = repository.allComments.find(({ id }) => id === Number(path.comment_id));
      if (!comment) return NOT_FOUND;
      const status = comment.reactions.includes(body.content) ? 200 : 201;
      if (status === 201) comment.reactions.push(body.content);
      wrote(call, server, { kind: "reaction", number: comment.number });
      return { status, body: server.shapes.reaction(repository, body.content) };
    },
  },
  "GET /repos/{owner}/{repo}/collaborators/{username}/permission": {
    as: "installation",
    answer: ({ repository, path }, { shapes }) => {
      const login = path.username!;
      const permission = repository.permissions.get(login);
      if (permission === "unknown user") return NOT_FOUND;
      return { status: 200, body: shapes.permission(repository, login, permission ?? "read") };
    },
  },
};

function labelList(call: Call, { shapes }: Server, number: number): Answer {
  const labels = call.repository.labels(number);
  return { status: 200, body: labels.map((it, index) => shapes.label(call.repository, it, index)) };
}

/** A check run's state after a request: what it leaves out stays as it was. */
function checkRunState(was: Partial<FakeCheckRun>, body: Json, server: Server) {
  const conclusion = body.conclusion ??
    (body.status && body.status !== "completed" ? undefined : was.conclusion);
  const status = body.conclusion ? "completed" : body.status ?? was.status ?? "queued";
  return {
    status,
    conclusion,
    externalId: body.external_id ?? was.externalId ?? "",
    title: body.output?.title ?? was.title ?? "",
    summary: body.output?.summary ?? was.summary ?? "",
    text: body.output ? body.output.text : was.text,
    detailsUrl: body.details_url ?? was.detailsUrl,
    startedAt: body.started_at ?? was.startedAt,
    completedAt: status === "completed"
      ? body.completed_at ?? was.completedAt ?? server.time()
      : undefined,
  };
}

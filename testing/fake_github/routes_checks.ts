/** Statuses and check runs of commits. */
import { NOT_FOUND, page, refusal, type Route, type Server, wrote } from "./route.ts";
import type { FakeCheckRun } from "./state.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const NO_COMMIT = (sha: string) => refusal(422, `No commit found for SHA: ${sha}`);

/** The operations, by method and path as the description writes them. */
export const CHECK_ROUTES: Readonly<Record<string, Route>> = {
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
        states: [],
        ...checkRunState({ startedAt: server.time(), externalId: "" }, body, server),
      };
      noteState(run);
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
      noteState(run);
      wrote(call, server, { kind: "check run", sha: run.headSha });
      return { status: 200, body: server.shapes.checkRun(repository, run) };
    },
  },
};

function noteState({ history, states, ...state }: FakeCheckRun): void {
  history.push(state.conclusion ?? state.status);
  states.push(state);
}

/** A check run's state after a request: fields that it leaves out do not change. */
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

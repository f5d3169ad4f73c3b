/** Commit statuses and check runs. */
import * as read from "./answers.ts";
import type { CheckRunState, GitHub } from "./github.ts";
import { type Requests, unlessMissing } from "./requests.ts";
import { checkRunText, checkRunTitle, statusDescription } from "./texts.ts";

/** The methods of {@link GitHub} that this file is about. */
export function checkMethods(requests: Requests) {
  return {
    statuses: (repo, sha) =>
      unlessMissing(async () => {
        const route = "GET /repos/{owner}/{repo}/commits/{ref}/statuses";
        const statuses = await requests.on(repo).pages("list statuses", (request, page) => {
          return request(route, { ...page, ref: sha });
        });
        return statuses.map(read.status);
      }),

    async setStatus(repo, sha, { context, state, description, targetUrl }) {
      await requests.on(repo).create("set status", "POST /repos/{owner}/{repo}/statuses/{sha}", {
        sha,
        context,
        state,
        description: statusDescription(description),
        ...(targetUrl === undefined ? {} : { target_url: targetUrl }),
      });
    },

    checkRuns: (repo, sha, name) =>
      unlessMissing(async () => {
        const route = "GET /repos/{owner}/{repo}/commits/{ref}/check-runs";
        const only = {
          app_id: requests.appId,
          ...(name === undefined ? {} : { check_name: name }),
        };
        const runs = await requests.on(repo).pages("list check runs", async (request, page) => {
          const { data } = await request(route, { ...page, ref: sha, ...only });
          return { data: data.check_runs };
        });
        return runs.map(read.checkRun);
      }),

    async createCheckRun(repo, run) {
      const route = "POST /repos/{owner}/{repo}/check-runs";
      const { data } = await requests.on(repo).create(`create check run ${run.name}`, route, {
        ...checkRunParameters(run),
        name: run.name,
        head_sha: run.headSha,
      });
      return read.checkRun(data);
    },

    async updateCheckRun(repo, id, run) {
      const route = "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}";
      const parameters = { ...checkRunParameters(run), check_run_id: id };
      await requests.on(repo).update(`update check run ${id}`, route, parameters);
    },
  } satisfies Partial<GitHub>;
}

/** A check run's state as parameters of the checks API. */
function checkRunParameters(run: CheckRunState) {
  const { status, conclusion } = run;
  if (status === "completed" && conclusion === undefined) {
    throw new Error("Cannot write check run: completed without a conclusion");
  }
  return {
    ...(conclusion === undefined ? {} : { conclusion }),
    status: status as "queued" | "in_progress",
    external_id: run.externalId,
    output: {
      title: checkRunTitle(run.title),
      summary: checkRunText(run.summary),
      ...(run.text === undefined ? {} : { text: checkRunText(run.text) }),
    },
    ...(run.detailsUrl === undefined ? {} : { details_url: run.detailsUrl }),
    ...(run.startedAt === undefined ? {} : { started_at: run.startedAt }),
    ...(run.completedAt === undefined ? {} : { completed_at: run.completedAt }),
  };
}

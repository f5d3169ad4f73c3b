/** Commit statuses and check runs. */
import * as read from "./answers.ts";
import type { CheckRunState, GitHub } from "./github.ts";
import { at, type Requests, unlessMissing } from "./requests.ts";
import { checkRunText, checkRunTitle, statusDescription } from "./texts.ts";

/** The methods of {@link GitHub} that this file is about. */
export function checkMethods(
  requests: Requests,
): Pick<GitHub, "statuses" | "setStatus" | "checkRuns" | "createCheckRun" | "updateCheckRun"> {
  return {
    statuses: statuses(requests),
    setStatus: setStatus(requests),
    checkRuns: checkRuns(requests),
    createCheckRun: createCheckRun(requests),
    updateCheckRun: updateCheckRun(requests),
  };
}

function statuses(requests: Requests): GitHub["statuses"] {
  return (repo, sha) =>
    unlessMissing(async () => {
      const statuses = await requests.pages(
        repo,
        "list statuses",
        (request, page) =>
          request("GET /repos/{owner}/{repo}/commits/{ref}/statuses", {
            ...at(repo),
            ...page,
            ref: sha,
          }),
      );
      return statuses.map(read.status);
    });
}

function setStatus(requests: Requests): GitHub["setStatus"] {
  return async (repo, sha, status) => {
    await requests.create(
      repo,
      "set status",
      (request) =>
        request("POST /repos/{owner}/{repo}/statuses/{sha}", {
          ...at(repo),
          sha,
          context: status.context,
          state: status.state,
          description: statusDescription(status.description),
          ...(status.targetUrl === undefined ? {} : { target_url: status.targetUrl }),
        }),
    );
  };
}

function checkRuns(requests: Requests): GitHub["checkRuns"] {
  return (repo, sha, name) =>
    unlessMissing(async () => {
      const runs = await requests.pages(repo, "list check runs", async (request, page) => {
        const { data } = await request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
          ...at(repo),
          ...page,
          ref: sha,
          app_id: requests.appId,
          ...(name === undefined ? {} : { check_name: name }),
        });
        return { data: data.check_runs };
      });
      return runs.map(read.checkRun);
    });
}

function createCheckRun(requests: Requests): GitHub["createCheckRun"] {
  return async (repo, run) => {
    const { data } = await requests.create(
      repo,
      `create check run ${run.name}`,
      (request) =>
        request("POST /repos/{owner}/{repo}/check-runs", {
          ...at(repo),
          ...checkRunParameters(run),
          name: run.name,
          head_sha: run.headSha,
        }),
    );
    return read.checkRun(data);
  };
}

function updateCheckRun(requests: Requests): GitHub["updateCheckRun"] {
  return async (repo, id, run) => {
    await requests.change(
      repo,
      `update check run ${id}`,
      (request) =>
        request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
          ...at(repo),
          ...checkRunParameters(run),
          check_run_id: id,
        }),
    );
  };
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

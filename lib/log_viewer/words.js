/** The texts of the log viewer. */
/** Texts for the outcomes of evaluations (`lib/evaluation/plan.ts`) that built nothing or not everything. */
const OUTCOMES = {
  nothing: "Nothing was built: the change touches no project to build.",
  draft: "Nothing was built: the pull request is a draft.",
  wip: "Nothing was built: the pull request's title marks it as work in progress.",
  conflict: "Nothing was built: the change conflicts with its base branch.",
  unrelated: "Nothing was built: the change has no commit in common with its base branch.",
  "too-many-projects":
    "Nothing was built: the change touches more projects than are built automatically.",
  "too-many-files": "Nothing was built: too many files changed to tell which projects they touch.",
  unbuildable:
    "Not everything was built: a project needs a trusted person's approval, or a system that is not served.",
  "given-up": "Nothing was built: the evaluation failed.",
  superseded: "Nothing was built: a newer push or another evaluation replaced this one.",
  "no-projects": "Nothing was built: the base branch has no .tickborg.json that lists projects.",
  "list-mistakes": "With this change, .tickborg.json has a mistake.",
  "too-many-builds": "Nothing was built: the change needs too many builds.",
  "no-repository": "Nothing was built: git cannot read the repository.",
  "no-ref": "Nothing was built: git cannot find the base branch or the head.",
  "no-commit": "Nothing was built: git cannot find a commit.",
  "no-pull-request": "Nothing was built: GitHub does not have the pull request or its commit.",
  closed: "Nothing was built: the pull request was closed.",
  "bad-projects": "Nothing was built: the base branch's .tickborg.json has a mistake.",
};

/** Explains why there are no logs. */
export function whyNoLogs(outcome) {
  const why = Object.hasOwn(OUTCOMES, outcome)
    ? OUTCOMES[outcome]
    : "No build has written a log yet.";
  return `${why} See the commit's checks on GitHub. This page shows a log as soon as there is one.`;
}

/** An attempt's state as text and CSS class. */
export function standing({ result }) {
  if (!result) return ["Running", "busy"];
  const status = result.status ?? "Skipped";
  if (typeof status === "object") return ["Infrastructure error", "bad"];
  if (status === "Success") return ["Success", "good"];
  if (status === "Skipped") return [result.skipped_reason ?? "Skipped", ""];
  return [status === "TimedOut" ? "Timed out" : status, "bad"];
}

function projects({ metadata, result }) {
  // The log of a skipped project says why.
  const names = [metadata, result].map((of) =>
    [...(of?.attempted_attrs ?? []), ...(of?.skipped_attrs ?? [])].join(", ")
  );
  return names.find(Boolean) ?? "Build";
}

export function title(attempt) {
  const system = attempt.metadata?.system ?? attempt.result?.system;
  return projects(attempt) + (system ? ` on ${system}` : "");
}

/** Why an attempt failed, from its result. */
export function reasons({ result }) {
  if (!result || result.status === "Success") return "";
  if (typeof result.status === "object") return result.status?.UnexpectedError?.err ?? "";
  const { file, line, message } = result.first_error ?? {};
  const place = [file, line].filter((part) => part != null).join(":");
  const error = message && (place ? `${place}: ${message}` : message);
  const how = [result.step, result.reason].filter(Boolean).join(" ");
  return [error, how].filter(Boolean).join("\n");
}

/** The words of the log viewer. */
/** What an evaluation's status says of its outcome (`lib/evaluation/plan.ts`), where nothing was built. */
const OUTCOMES = {
  nothing: "Nothing was built: the change touches no project that is to be built.",
  draft: "Nothing was built: the pull request is a draft.",
  wip: "Nothing was built: the pull request's title says that it is work in progress.",
  conflict: "Nothing was built: the change conflicts with the branch that it is merged into.",
  unrelated: "Nothing was built: the change has no commit in common with its base branch.",
  "too-many-projects":
    "Nothing was built: the change touches more projects than are built by themselves.",
  "too-many-files": "Nothing was built: too many files changed to tell which projects they touch.",
  unbuildable:
    "Not everything was built: a project needs a trusted person's word, or a system that nothing serves.",
  "given-up": "Nothing was built: the evaluation could not be carried out.",
  superseded: "Nothing was built: a newer push or another evaluation took this one's place.",
  "no-projects": "Nothing was built: the base branch has no .tickborg.json that lists projects.",
  "list-mistakes": "Not everything may be right: .tickborg.json has a mistake with this change.",
  "too-many-builds": "Nothing was built: the change asks for more builds than can be summed up.",
  "no-repository": "Nothing was built: git cannot read the repository.",
  "no-ref": "Nothing was built: git does not show a branch or a head that is needed.",
  "no-commit": "Nothing was built: git does not show a commit that is needed.",
  "no-pull-request": "Nothing was built: GitHub does not show the pull request or its commit.",
  closed: "Nothing was built: the pull request was closed.",
  "bad-projects": "Nothing was built: the base branch's .tickborg.json has a mistake.",
};

/** What there is to say where no build has written a log. */
export function whyNoLogs(outcome) {
  const why = Object.hasOwn(OUTCOMES, outcome)
    ? OUTCOMES[outcome]
    : "No build has written a log yet.";
  return `${why} The checks of the commit on GitHub say more. This page shows a log as soon as there is one.`;
}

/** How an attempt stands: its words and the class of their colour. */
export function standing({ result }) {
  if (!result) return ["Running", "busy"];
  const status = result.status ?? "Skipped";
  if (typeof status === "object") return ["Infrastructure error", "bad"];
  if (status === "Success") return ["Success", "good"];
  if (status === "Skipped") return [result.skipped_reason ?? "Skipped", ""];
  return [status === "TimedOut" ? "Timed out" : status, "bad"];
}

function projects({ metadata, result }) {
  // A project that was left out has a log that says why.
  const names = [metadata, result].map((of) =>
    [...(of?.attempted_attrs ?? []), ...(of?.skipped_attrs ?? [])].join(", ")
  );
  return names.find(Boolean) ?? "Build";
}

export function title(attempt) {
  const system = attempt.metadata?.system ?? attempt.result?.system;
  return projects(attempt) + (system ? ` on ${system}` : "");
}

/** Why an attempt did not succeed, in its result's own words. */
export function reasons({ result }) {
  if (!result || result.status === "Success") return "";
  if (typeof result.status === "object") return result.status?.UnexpectedError?.err ?? "";
  const { file, line, message } = result.first_error ?? {};
  const place = [file, line].filter((part) => part != null).join(":");
  const error = message && (place ? `${place}: ${message}` : message);
  const how = [result.step, result.reason].filter(Boolean).join(" ");
  return [error, how].filter(Boolean).join("\n");
}

/** A job of a pull request, for decisions that need no repository. */
/** The head it is for. */
export const HEAD = "a".repeat(40);
/** Another commit. */
export const OTHER = "b".repeat(40);

/** Two projects of pull request 7. */
export const JOB = {
  repo: {
    owner: "project-tick",
    name: "Project-Tick",
    full_name: "project-tick/Project-Tick",
    clone_url: "https://example.com/project-tick.git",
  },
  pr: { target_branch: "main", number: 7, head_sha: HEAD },
  attrs: ["one", "two"],
  request_id: "request",
};

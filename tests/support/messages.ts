/** Messages that tests begin with; each gives only the fields it is about. */
import { BuildResult } from "../../lib/messages/build_result.ts";
import type { Pr, Repo } from "../../lib/messages/repo.ts";

/** The repository that these messages are about. */
export const REPO: Repo = {
  owner: "owner",
  name: "repo",
  full_name: "owner/repo",
  clone_url: "https://git.example.com/owner/repo.git",
};

/** The pull request that these messages are about. */
export const PR: Pr = { target_branch: "main", number: 1, head_sha: "0".repeat(40) };

/** A build's result as it comes over the wire: a success of attempt `a1` unless told otherwise. */
export function buildResult(fields: Partial<BuildResult> = {}): BuildResult {
  return BuildResult.parse({
    tag: "V1",
    repo: REPO,
    pr: PR,
    system: "x86_64-linux",
    output: [],
    attempt_id: "a1",
    request_id: "r1",
    status: "Success",
    attempted_attrs: ["cmark"],
    skipped_attrs: [],
    ...fields,
  });
}

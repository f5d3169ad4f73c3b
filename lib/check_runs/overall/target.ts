/** Pure: identifies an overall check, and makes the message that refreshes it. */
import type { Publication } from "../../broker/broker.ts";
import type { Repo } from "../../messages/repo.ts";
import { keyOf } from "../key.ts";
import { overallMessage } from "../message.ts";

/** An overall check: that of one head and base. */
export interface OverallTarget {
  readonly repo: Repo;
  readonly sha: string;
  readonly name: string;
  readonly key: string;
}

/** An overall check by its name. */
export function overallTarget(repo: Repo, sha: string, name: string): OverallTarget {
  return { repo, sha, name, key: keyOf(repo, sha, name) };
}

/** Makes the poster sum up an overall check again. */
export function refreshMessage(
  { repo, sha, name }: Pick<OverallTarget, "repo" | "sha" | "name">,
  request_id?: string,
): Publication {
  return overallMessage({ repo, head_sha: sha, name, ...(request_id && { request_id }) });
}

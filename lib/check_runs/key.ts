import type { Repo } from "../messages/repo.ts";

/** Identifies a check run: its repository, commit and name. */
export function keyOf(repo: Pick<Repo, "full_name">, sha: string, name: string): string {
  return `${repo.full_name.toLowerCase()} ${sha} ${name}`;
}

import type { Repo } from "../messages/repo.ts";

/** What stands for a check run: its repository, its commit and its name. */
export function keyOf(repo: Pick<Repo, "full_name">, sha: string, name: string): string {
  return `${repo.full_name.toLowerCase()} ${sha} ${name}`;
}

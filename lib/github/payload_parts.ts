/** Parts of several webhook payloads. */
import * as z from "zod";
import { Repo } from "../messages/repo.ts";

/** A text of at most so many UTF-16 units, empty if it is missing. */
export const bounded = (length: number) =>
  z.string().nullish().transform((text) => cut(text ?? "", length));

/** Cut without splitting a character, lone surrogates replaced. */
function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed();
}

/** The event's repository. */
export const Repository = z.object({
  full_name: z.string().regex(/^[^/]+\/[^/]+$/),
  clone_url: z.string(),
  default_branch: z.string().max(255).optional(),
  pushed_at: z.union([z.number(), z.string().max(50)]).nullish().catch(undefined),
}).transform(({ full_name, clone_url, default_branch, pushed_at }) => {
  const [owner, name] = full_name.split("/");
  return {
    repo: { owner, name, full_name, clone_url },
    defaultBranch: default_branch ?? "main",
    pushedAt: pushed_at ?? undefined,
  };
}).pipe(z.object({
  repo: Repo,
  defaultBranch: z.string(),
  pushedAt: z.union([z.number(), z.string(), z.undefined()]),
}));

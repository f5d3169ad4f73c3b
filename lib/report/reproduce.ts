/** How people repeat a build on a machine of their own. */
import { checkCloneUrl, UnsafeGitName } from "../git/names.ts";
import type { Repo } from "../messages/repo.ts";
import { shellWord } from "../text/shell.ts";
import { codeBlock, plain } from "./markdown.ts";
import { type BuildSubject, isPush } from "./subject.ts";

/** The part of a report that says how to do the same build without GitHub and without a broker. */
export function howToReproduce(subject: BuildSubject): string {
  return "### Reproduce on your machine\n\nIn a clone of the repository, or of a fork of it, that has a " +
    `clone of Tickborg next to it:\n\n${codeBlock(reproduceCommand(subject), "sh")}`;
}

/** Two lines for a shell, which need git and Node.js: Deno comes with npx, in the version that runs here. */
export function reproduceCommand(subject: BuildSubject): string {
  const { repo, pr, test, project } = subject;
  const options = ["--base", baseOf(subject), "--head", pr.head_sha];
  return `git fetch ${words([addressOf(repo), ...refsOf(subject)])}\n` +
    `npx -y deno@${Deno.version.deno} run -A ../tickborg/main.ts local ${
      words([...options, test ? "--test" : "--build", project])
    }`;
}

/** The repository's own address: `origin` is a fork in many clones. */
function addressOf({ clone_url: url }: Repo): string {
  try {
    return checkCloneUrl(url, true);
  } catch (error) {
    if (error instanceof UnsafeGitName) return "origin";
    throw error;
  }
}

/** A commit merged into itself is built as it is: so are pushes. FETCH_HEAD is the first ref that was fetched. */
function baseOf(subject: BuildSubject): string {
  return isPush(subject) ? subject.pr.head_sha : subject.baseSha ?? "FETCH_HEAD";
}

function refsOf(subject: BuildSubject): string[] {
  const { pr, push } = subject;
  const branch = push?.branch ?? pr.target_branch;
  const base = branch === null ? "HEAD" : `refs/heads/${branch}`;
  return isPush(subject) ? [base] : [base, `refs/pull/${pr.number}/head`];
}

function words(list: readonly string[]): string {
  return list.map(word).join(" ");
}

/** A word that is the same after it was shown and pasted, whatever it holds. */
function word(text: string): string {
  if (text === plain(text, 2_048)) return shellWord(text);
  // Characters that cannot be seen, and would be taken out on the way, as bytes (POSIX.1-2024, 2.2.4).
  const bytes = [...new TextEncoder().encode(text)];
  const escaped = bytes.map((byte) =>
    /[A-Za-z0-9/._-]/.test(String.fromCharCode(byte)) && byte < 0x80
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, "0")}`
  );
  return `$'${escaped.join("")}'`;
}

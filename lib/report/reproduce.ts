/** How to repeat a build on one's own machine. */
import { checkCloneUrl, UnsafeGitName } from "../git/names.ts";
import type { Repo } from "../messages/repo.ts";
import { shellWord } from "../text/shell.ts";
import { codeBlock, plain } from "./markdown.ts";
import { type BuildSubject, isPush } from "./subject.ts";

/** A report's section about repeating the build without GitHub and a broker. */
export function howToReproduce(subject: BuildSubject): string {
  return "### Reproduce on your machine\n\nIn a clone of the repository or of a fork, next to a " +
    `clone of Tickborg:\n\n${codeBlock(reproduceCommand(subject), "sh")}`;
}

/** Two shell commands, which need git and Node.js: npx installs this version of Deno. */
export function reproduceCommand(subject: BuildSubject): string {
  const { repo, pr, test, project } = subject;
  const options = ["--base", baseOf(subject), "--head", pr.head_sha];
  return `git fetch ${words([addressOf(repo), ...refsOf(subject)])}\n` +
    `npx -y deno@${Deno.version.deno} run -A ../tickborg/main.ts local ${
      words([...options, test ? "--test" : "--build", project])
    }`;
}

/** The repository's address, because `origin` is a fork in many clones. */
function addressOf({ clone_url: url }: Repo): string {
  try {
    return checkCloneUrl(url, true);
  } catch (error) {
    if (error instanceof UnsafeGitName) return "origin";
    throw error;
  }
}

/** A push is built unmerged: its base is its own commit. FETCH_HEAD is the first fetched ref. */
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

/** Quotes a word so that it survives display and copying. */
function word(text: string): string {
  if (text === plain(text, 2_048)) return shellWord(text);
  // Invisible characters, which `plain` would remove, as bytes (POSIX.1-2024, 2.2.4).
  const bytes = [...new TextEncoder().encode(text)];
  const escaped = bytes.map((byte) =>
    /[A-Za-z0-9/._-]/.test(String.fromCharCode(byte)) && byte < 0x80
      ? String.fromCharCode(byte)
      : `\\${byte.toString(8).padStart(3, "0")}`
  );
  return `$'${escaped.join("")}'`;
}

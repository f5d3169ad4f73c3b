/** How people repeat a build on a machine of their own. */
import { shellWord } from "../text/shell.ts";
import { codeBlock, plain } from "./markdown.ts";
import { type BuildSubject, isPush } from "./subject.ts";

/** The part of a report that says how to do the same build without GitHub and without a broker. */
export function howToReproduce(subject: BuildSubject): string {
  return "### Reproduce on your machine\n\nIn a clone of the repository that has a clone of Tickborg " +
    `beside it:\n\n${codeBlock(reproduceCommand(subject), "sh")}`;
}

/** Two lines for a shell, which need git and Node.js: Deno comes with npx, in the version that runs here. */
export function reproduceCommand(subject: BuildSubject): string {
  const { pr, test, project } = subject;
  const base = baseOf(subject);
  const options = [
    ...(base === undefined ? [] : ["--base", base]),
    ...["--head", pr.head_sha, test ? "--test" : "--build", project],
  ];
  return `git fetch origin ${words(refsOf(subject))}\n` +
    `npx -y deno@${Deno.version.deno} run -A ../tickborg/main.ts local ${words(options)}`;
}

/** A commit merged into itself is built as it is: so are pushes. Undefined is the default branch. */
function baseOf(subject: BuildSubject): string | undefined {
  const { pr, baseSha } = subject;
  if (isPush(subject)) return pr.head_sha;
  return baseSha ?? (pr.target_branch === null ? undefined : `origin/${pr.target_branch}`);
}

function refsOf(subject: BuildSubject): string[] {
  const { pr, push } = subject;
  const branch = push?.branch ?? pr.target_branch;
  const branches = branch === null ? [] : [`refs/heads/${branch}`];
  return isPush(subject) ? branches : [...branches, `refs/pull/${pr.number}/head`];
}

function words(list: readonly string[]): string {
  return list.map((word) => shellWord(plain(word, 300))).join(" ");
}

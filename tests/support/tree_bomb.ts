/** Trees of a few objects that stand for more than any machine can hold. */
import assert from "node:assert/strict";
import { gitArguments, gitEnvironment } from "../../lib/git/environment.ts";

interface Feeding {
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What git answers to its input, without the newline at its end. */
async function fed(gitDir: string, { args, stdin = "", env }: Feeding): Promise<string> {
  const child = new Deno.Command("git", {
    args: gitArguments(args, { gitDir }),
    clearEnv: true,
    env: gitEnvironment(env),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await new Blob([stdin]).stream().pipeTo(child.stdin);
  const { success, stdout } = await child.output();
  assert.ok(success, `git ${args[0]}`);
  return new TextDecoder().decode(stdout).trim();
}

function made(gitDir: string, args: readonly string[], stdin: string): Promise<string> {
  return fed(gitDir, { args, stdin });
}

/** A folder of ten million files in a commit on `parent`, which it keeps nothing of. Gives its hash. */
export async function commitBomb(gitDir: string, parent: string): Promise<string> {
  const file = await made(gitDir, ["hash-object", "-w", "--stdin"], "x\n");
  const tens = (entry: string) =>
    Array.from({ length: 10 }, (_, at) => `${entry}\t${at}\n`).join("");
  let tree = await made(gitDir, ["mktree"], tens(`100644 blob ${file}`));
  for (let level = 1; level < 7; level++) {
    tree = await made(gitDir, ["mktree"], tens(`040000 tree ${tree}`));
  }
  return await commitFolder(gitDir, parent, tree);
}

/** Some folders that share one tree of some files, in a commit on `parent`. Gives its hash. */
export async function commitWide(
  gitDir: string,
  parent: string,
  { folders, files, content = "x\n" }: { folders: number; files: number; content?: string },
): Promise<string> {
  const file = await made(gitDir, ["hash-object", "-w", "--stdin"], content);
  const entries = (count: number, entry: string) =>
    Array.from({ length: count }, (_, at) => `${entry}\t${at}\n`).join("");
  const shared = await made(gitDir, ["mktree"], entries(files, `100644 blob ${file}`));
  const tree = await made(gitDir, ["mktree"], entries(folders, `040000 tree ${shared}`));
  return await commitFolder(gitDir, parent, tree);
}

/** A file below `depth` folders, in a commit on `parent`. Gives its hash. */
export async function commitDeep(gitDir: string, parent: string, depth: number): Promise<string> {
  return await commitFile(gitDir, parent, `${"a/".repeat(depth)}f`);
}

/** A file at a path of any length, in a commit on `parent`. Gives its hash. */
export async function commitFile(gitDir: string, parent: string, path: string): Promise<string> {
  const file = await made(gitDir, ["hash-object", "-w", "--stdin"], "x\n");
  const env = { GIT_INDEX_FILE: `${gitDir}/deep-index` };
  const stdin = `100644 ${file}\t${path}\n`;
  await fed(gitDir, { args: ["update-index", "--index-info"], stdin, env });
  const tree = await fed(gitDir, { args: ["write-tree"], env });
  return await commitFolder(gitDir, parent, tree);
}

async function commitFolder(gitDir: string, parent: string, folder: string): Promise<string> {
  const tree = await made(gitDir, ["mktree"], `040000 tree ${folder}\tfolder\n`);
  const who = ["-c", "user.name=Eve", "-c", "user.email=eve@example.com"];
  return await made(gitDir, [...who, "commit-tree", tree, "-p", parent], "Grow");
}

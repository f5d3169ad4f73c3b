/** Pull requests, files and people's permissions, which are only read. */
import * as read from "./answers.ts";
import { type GitHub, GitHubRefusal, isMissing } from "./github.ts";
import { type Requests, unlessMissing } from "./requests.ts";

/** Bytes of a file that {@link GitHub.fileAt} reads. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** The methods of {@link GitHub} that this file is about. */
export function readMethods(requests: Requests) {
  return {
    defaultBranch: (repo) =>
      unlessMissing(async () => {
        const route = "GET /repos/{owner}/{repo}";
        const { data } = await requests.on(repo).read("read the repository", route, {});
        return data.default_branch;
      }),

    fileAt: (repo, ref, path) =>
      unlessNoFile(async () => {
        const route = "GET /repos/{owner}/{repo}/contents/{path}";
        const { data, headers } = await requests.on(repo).read(`read ${path}`, route, {
          ref,
          path,
          mediaType: { format: "raw" },
          request: { parseSuccessResponseBody: false },
        });
        // A folder is listed as JSON, whatever was asked for.
        if (!headers["content-type"]?.includes("raw")) return undefined;
        const bytes = await new Response(data as unknown as ReadableStream).bytes();
        if (bytes.length <= MAX_FILE_BYTES) return bytes;
        throw new GitHubRefusal(`Cannot read ${path}: more than ${MAX_FILE_BYTES} bytes`, 413);
      }),

    pullRequest: (repo, number) =>
      unlessMissing(async () => {
        const route = "GET /repos/{owner}/{repo}/pulls/{pull_number}";
        const wanted = { pull_number: number };
        const { data } = await requests.on(repo).read(`read pull request ${number}`, route, wanted);
        return read.pullRequest(data);
      }),

    async openPullRequests(repo) {
      const pulls = await requests.on(repo).pages("list pull requests", (request, page) => {
        return request("GET /repos/{owner}/{repo}/pulls", { ...page, state: "open" });
      });
      return pulls.map(read.pullRequest);
    },

    async permission(repo, user) {
      const route = "GET /repos/{owner}/{repo}/collaborators/{username}/permission";
      const found = await unlessMissing(() =>
        requests.on(repo).read("read permission", route, { username: user })
      );
      return found?.data.permission ?? "none";
    },
  } satisfies Partial<GitHub>;
}

/** Undefined where there is no such file; GitHub says so where it is the branch or commit that is not there. */
async function unlessNoFile<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const said = error instanceof Error ? error.message : "";
    if (isMissing(error) && !/no commit found for the ref|repository is empty/i.test(said)) return;
    throw error;
  }
}

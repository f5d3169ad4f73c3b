/** Pull requests, files and people's permissions, which are only read. */
import { pullRequest } from "./answers.ts";
import { type GitHub, GitHubRefusal, type PullRequest, type RepoName } from "./github.ts";
import { at, type Requests, unlessMissing } from "./requests.ts";

/** Bytes of a file that {@link GitHub.fileAt} reads. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** The methods of {@link GitHub} that this file is about. */
export function readMethods(
  requests: Requests,
): Pick<GitHub, "fileAt" | "pullRequest" | "openPullRequests" | "permission"> {
  return {
    fileAt(repo: RepoName, ref: string, path: string): Promise<Uint8Array | undefined> {
      return unlessMissing(async () => {
        const { data, headers } = await requests.read(
          repo,
          `read ${path}`,
          (request) =>
            request("GET /repos/{owner}/{repo}/contents/{path}", {
              ...at(repo),
              ref,
              path,
              mediaType: { format: "raw" },
              request: { parseSuccessResponseBody: false },
            }),
        );
        // A folder is listed as JSON, whatever was asked for.
        if (!headers["content-type"]?.includes("raw")) return undefined;
        const bytes = await new Response(data as unknown as ReadableStream).bytes();
        if (bytes.length <= MAX_FILE_BYTES) return bytes;
        throw new GitHubRefusal(`Cannot read ${path}: more than ${MAX_FILE_BYTES} bytes`, 413);
      });
    },

    pullRequest(repo: RepoName, number: number): Promise<PullRequest | undefined> {
      return unlessMissing(async () => {
        const { data } = await requests.read(
          repo,
          `read pull request ${number}`,
          (request) =>
            request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
              ...at(repo),
              pull_number: number,
            }),
        );
        return pullRequest(data);
      });
    },

    async openPullRequests(repo: RepoName): Promise<PullRequest[]> {
      const pulls = await requests.pages(
        repo,
        "list pull requests",
        (request, page) =>
          request("GET /repos/{owner}/{repo}/pulls", { ...at(repo), ...page, state: "open" }),
      );
      return pulls.map(pullRequest);
    },

    async permission(repo: RepoName, user: string): Promise<string> {
      const found = await unlessMissing(() =>
        requests.read(
          repo,
          "read permission",
          (request) =>
            request("GET /repos/{owner}/{repo}/collaborators/{username}/permission", {
              ...at(repo),
              username: user,
            }),
        )
      );
      return found?.data.permission ?? "none";
    },
  };
}

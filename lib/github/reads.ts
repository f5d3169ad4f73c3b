/** Reads pull requests, files and people's permissions. */
import * as read from "./answers.ts";
import { type GitHub, GitHubRefusal, isMissing } from "./github.ts";
import { at, type Requests, unlessMissing } from "./requests.ts";

/** Bytes of a file that {@link GitHub.fileAt} reads. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** The methods of {@link GitHub} in this file. */
export function readMethods(
  requests: Requests,
): Pick<GitHub, "defaultBranch" | "fileAt" | "pullRequest" | "openPullRequests" | "permission"> {
  return {
    defaultBranch: defaultBranch(requests),
    fileAt: fileAt(requests),
    pullRequest: pullRequest(requests),
    openPullRequests: openPullRequests(requests),
    permission: permission(requests),
  };
}

function defaultBranch(requests: Requests): GitHub["defaultBranch"] {
  return (repo) =>
    unlessMissing(async () => {
      const { data } = await requests.read(
        repo,
        "read the repository",
        (request) => request("GET /repos/{owner}/{repo}", at(repo)),
      );
      return data.default_branch;
    });
}

function fileAt(requests: Requests): GitHub["fileAt"] {
  return (repo, ref, path) =>
    unlessNoFile(async () => {
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
      // A folder is always returned as JSON.
      if (!headers["content-type"]?.includes("raw")) return undefined;
      const bytes = await new Response(data as unknown as ReadableStream).bytes();
      if (bytes.length <= MAX_FILE_BYTES) return bytes;
      throw new GitHubRefusal(`Cannot read ${path}: more than ${MAX_FILE_BYTES} bytes`, 413);
    });
}

/** Undefined if there is no such file; GitHub's message tells that from a missing branch or commit. */
async function unlessNoFile<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const said = error instanceof Error ? error.message : "";
    if (isMissing(error) && !/no commit found for the ref|repository is empty/i.test(said)) return;
    throw error;
  }
}

function pullRequest(requests: Requests): GitHub["pullRequest"] {
  return (repo, number) =>
    unlessMissing(async () => {
      const { data } = await requests.read(
        repo,
        `read pull request ${number}`,
        (request) =>
          request("GET /repos/{owner}/{repo}/pulls/{pull_number}", {
            ...at(repo),
            pull_number: number,
          }),
      );
      return read.pullRequest(data);
    });
}

function openPullRequests(requests: Requests): GitHub["openPullRequests"] {
  return async (repo) => {
    const pulls = await requests.pages(
      repo,
      "list pull requests",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/pulls", { ...at(repo), ...page, state: "open" }),
    );
    return pulls.map(read.pullRequest);
  };
}

function permission(requests: Requests): GitHub["permission"] {
  return async (repo, user) => {
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
  };
}

/** The GitHub client: {@link GitHub} as a GitHub App, by Octokit. */
import {
  type CheckRun,
  type CheckRunState,
  type CommitStatus,
  type GitHub,
  GitHubRefusal,
  type HookDelivery,
  type PullRequest,
  type RepoName,
} from "./github.ts";
import * as read from "./answers.ts";
import { checkRunText, checkRunTitle, commentText, statusDescription } from "./texts.ts";
import { AppTransport, type Request } from "./transport.ts";
import { GITHUB_WRITE_LIMITS, type WriteLimit } from "./write_limit.ts";

/** What the client is made of. */
export interface ClientOptions {
  /** The REST API: `https://api.github.com`, `https://<host>/api/v3`. */
  readonly apiUrl: string;
  readonly appId: number;
  /** PEM, PKCS#8. */
  readonly privateKey: string;
  /** Milliseconds since the epoch; the system's clock when absent. */
  readonly now?: () => number;
  /** Milliseconds a request may take; 10,000 when absent. */
  readonly timeoutMs?: number;
  /** Limits on writes; GitHub's own on github.com, none elsewhere, when absent. */
  readonly writeLimits?: readonly WriteLimit[];
}

/** Entries of a page: the most that GitHub gives. */
const PAGE = 100;
/** Pages that are read of a list; what comes after them is not seen. */
const MAX_PAGES = 20;
/** Bytes of a file that {@link GitHub.fileAt} reads. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Makes the client. No request is made before a method is called. */
export function createGitHub(options: ClientOptions): GitHub {
  return new AppClient(options);
}

/** GitHub Enterprise Server has no secondary rate limits unless its owner sets some. */
function defaultLimits(apiUrl: string): readonly WriteLimit[] {
  const { hostname } = new URL(apiUrl);
  const theirs = hostname === "api.github.com" || hostname.endsWith(".ghe.com");
  return theirs ? GITHUB_WRITE_LIMITS : [];
}

class AppClient implements GitHub {
  readonly #transport: AppTransport;
  readonly #appId: number;

  constructor(options: ClientOptions) {
    this.#appId = options.appId;
    const apiUrl = options.apiUrl.replace(/\/+$/, "");
    this.#transport = new AppTransport({
      now: Date.now,
      timeoutMs: 10_000,
      writeLimits: defaultLimits(apiUrl),
      ...options,
      apiUrl,
    });
  }

  fileAt(repo: RepoName, ref: string, path: string): Promise<Uint8Array | undefined> {
    return unlessMissing(async () => {
      const { data, headers } = await this.#read(
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
  }

  pullRequest(repo: RepoName, number: number): Promise<PullRequest | undefined> {
    return unlessMissing(async () => {
      const { data } = await this.#read(
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

  async openPullRequests(repo: RepoName): Promise<PullRequest[]> {
    const pulls = await this.#pages(
      repo,
      "list pull requests",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/pulls", { ...at(repo), ...page, state: "open" }),
    );
    return pulls.map(read.pullRequest);
  }

  statuses(repo: RepoName, sha: string): Promise<CommitStatus[] | undefined> {
    return unlessMissing(async () => {
      const statuses = await this.#pages(
        repo,
        "list statuses",
        (request, page) =>
          request("GET /repos/{owner}/{repo}/commits/{ref}/statuses", {
            ...at(repo),
            ...page,
            ref: sha,
          }),
      );
      return statuses.map(read.status);
    });
  }

  async setStatus(repo: RepoName, sha: string, status: CommitStatus): Promise<void> {
    await this.#create(
      repo,
      "set status",
      (request) =>
        request("POST /repos/{owner}/{repo}/statuses/{sha}", {
          ...at(repo),
          sha,
          context: status.context,
          state: status.state,
          description: statusDescription(status.description),
          ...(status.targetUrl === undefined ? {} : { target_url: status.targetUrl }),
        }),
    );
  }

  async addLabels(repo: RepoName, number: number, labels: readonly string[]): Promise<void> {
    if (labels.length === 0) return;
    await this.#create(
      repo,
      `label pull request ${number}`,
      (request) =>
        request("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
          ...at(repo),
          issue_number: number,
          labels: [...labels],
        }),
      { repeatable: true },
    );
  }

  async removeLabel(repo: RepoName, number: number, label: string): Promise<void> {
    await unlessMissing(() =>
      this.#create(
        repo,
        `remove a label of pull request ${number}`,
        (request) =>
          request("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", {
            ...at(repo),
            issue_number: number,
            name: label,
          }),
        { repeatable: true },
      )
    );
  }

  async labelsAddedByApp(repo: RepoName, number: number): Promise<string[]> {
    const events = await this.#pages(
      repo,
      "list label events",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/issues/{issue_number}/events", {
          ...at(repo),
          ...page,
          issue_number: number,
        }),
    );
    return read.labelsAddedBy(this.#appId, events);
  }

  checkRuns(repo: RepoName, sha: string, name?: string): Promise<CheckRun[] | undefined> {
    return unlessMissing(async () => {
      const runs = await this.#pages(repo, "list check runs", async (request, page) => {
        const { data } = await request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", {
          ...at(repo),
          ...page,
          ref: sha,
          app_id: this.#appId,
          ...(name === undefined ? {} : { check_name: name }),
        });
        return { data: data.check_runs };
      });
      return runs.map(read.checkRun);
    });
  }

  async createCheckRun(
    repo: RepoName,
    run: CheckRunState & { name: string; headSha: string },
  ): Promise<CheckRun> {
    const { data } = await this.#create(
      repo,
      `create check run ${run.name}`,
      (request) =>
        request("POST /repos/{owner}/{repo}/check-runs", {
          ...at(repo),
          ...checkRunParameters(run),
          name: run.name,
          head_sha: run.headSha,
        }),
    );
    return read.checkRun(data);
  }

  async updateCheckRun(repo: RepoName, id: number, run: CheckRunState): Promise<void> {
    await this.#create(
      repo,
      `update check run ${id}`,
      (request) =>
        request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
          ...at(repo),
          ...checkRunParameters(run),
          check_run_id: id,
        }),
      { repeatable: true },
    );
  }

  async react(
    repo: RepoName,
    commentId: number,
    content: "eyes" | "confused" | "-1",
  ): Promise<boolean> {
    // Not repeated at once: the repeat of one whose answer was lost would look like somebody else's.
    const { status } = await this.#create(
      repo,
      "react to comment",
      (request) =>
        request("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", {
          ...at(repo),
          comment_id: commentId,
          content,
        }),
    );
    return status === 201;
  }

  async commentOnce(repo: RepoName, number: number, marker: string, body: string): Promise<void> {
    const hidden = `<!-- ${marker.replaceAll(/[<>]|--/g, "")} -->`;
    const where = { ...at(repo), issue_number: number };
    const comments = await this.#pages(
      repo,
      "list comments",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", { ...where, ...page }),
    );
    // Only our own count: anybody can write the marker.
    if (comments.some((it) => read.isBy(this.#appId, it) && it.body?.includes(hidden))) return;
    await this.#create(
      repo,
      `comment on pull request ${number}`,
      (request) =>
        request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
          ...where,
          body: `${hidden}\n${commentText(body.slice(0, 60_000))}`,
        }),
    );
  }

  async permission(repo: RepoName, user: string): Promise<string> {
    const found = await unlessMissing(() =>
      this.#read(
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
  }

  async hookDeliveries(since: number): Promise<HookDelivery[]> {
    const deliveries: HookDelivery[] = [];
    let cursor: string | undefined;
    for (let page = 1; page <= MAX_PAGES; page++) {
      const { data, headers } = await this.#transport.asApp(
        { what: "list webhook deliveries", repeatable: true },
        (request) =>
          request("GET /app/hook/deliveries", {
            per_page: PAGE,
            ...(cursor === undefined ? {} : { cursor }),
          }),
      );
      const recent = data.filter((it) => Date.parse(it.delivered_at) >= since);
      deliveries.push(...recent.map(read.hookDelivery));
      cursor = read.nextCursor(headers.link);
      if (recent.length < data.length || cursor === undefined) break;
    }
    return deliveries;
  }

  async redeliver(deliveryId: number | bigint): Promise<void> {
    await this.#transport.asApp(
      { what: `redeliver webhook ${deliveryId}`, repeatable: false },
      (request) =>
        request("POST /app/hook/deliveries/{delivery_id}/attempts", {
          // Octokit's types do not know yet that it writes a bigint as well.
          delivery_id: deliveryId as number,
        }),
    );
  }

  #read<T>(repo: RepoName, what: string, send: (request: Request) => Promise<T>): Promise<T> {
    return this.#transport.asInstallation(repo, { what, repeatable: true }, send);
  }

  #create<T>(
    repo: RepoName,
    what: string,
    send: (request: Request) => Promise<T>,
    { repeatable } = { repeatable: false },
  ): Promise<T> {
    return this.#transport.asInstallation(repo, { what, creates: true, repeatable }, send);
  }

  /** Reads a list to its end, or to {@link MAX_PAGES}. */
  async #pages<T>(
    repo: RepoName,
    what: string,
    send: (request: Request, page: { page: number; per_page: number }) => Promise<{ data: T[] }>,
  ): Promise<T[]> {
    const items: T[] = [];
    for (let page = 1; page <= MAX_PAGES; page++) {
      const { data } = await this.#read(repo, what, (it) => send(it, { page, per_page: PAGE }));
      items.push(...data);
      if (data.length < PAGE) break;
    }
    return items;
  }
}

function at({ owner, name }: RepoName): { owner: string; repo: string } {
  return { owner, repo: name };
}

/** A check run's state as parameters of the checks API. */
function checkRunParameters(run: CheckRunState) {
  const { status, conclusion } = run;
  if (status === "completed" && conclusion === undefined) {
    throw new Error("Cannot write check run: completed without a conclusion");
  }
  return {
    ...(conclusion === undefined ? {} : { conclusion }),
    status: status as "queued" | "in_progress",
    external_id: run.externalId,
    output: {
      title: checkRunTitle(run.title),
      summary: checkRunText(run.summary),
      ...(run.text === undefined ? {} : { text: checkRunText(run.text) }),
    },
    ...(run.detailsUrl === undefined ? {} : { details_url: run.detailsUrl }),
    ...(run.startedAt === undefined ? {} : { started_at: run.startedAt }),
    ...(run.completedAt === undefined ? {} : { completed_at: run.completedAt }),
  };
}

/** Undefined where GitHub knows no such thing: 404, or 422 for a commit it does not have. */
async function unlessMissing<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof GitHubRefusal)) throw error;
    if (error.status === 404) return undefined;
    if (error.status === 422 && /No commit found/.test(error.message)) return undefined;
    throw error;
  }
}

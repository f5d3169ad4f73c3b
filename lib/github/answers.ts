/** Converts GitHub's answers to our types: only the fields we use, with defaults for older servers. */
import type { Endpoints } from "@octokit/types";
import type {
  AppFacts,
  CheckRun,
  CommitStatus,
  Conclusion,
  Grant,
  HookDelivery,
  Installation,
  PullRequest,
} from "./github.ts";

type Data<Route extends keyof Endpoints> = Endpoints[Route]["response"]["data"];

type Pull =
  | Data<"GET /repos/{owner}/{repo}/pulls">[number]
  | Data<"GET /repos/{owner}/{repo}/pulls/{pull_number}">;
type Status = Data<"GET /repos/{owner}/{repo}/commits/{ref}/statuses">[number];
type Run = Data<"GET /repos/{owner}/{repo}/commits/{ref}/check-runs">["check_runs"][number];
type Installed = Data<"GET /repos/{owner}/{repo}/installation">;
type App = NonNullable<Data<"GET /app">>;
type LabelEvent = Data<"GET /repos/{owner}/{repo}/issues/{issue_number}/events">[number];
type ByApp = { readonly performed_via_github_app?: { readonly id: number | bigint } | null };
type Delivery = Data<"GET /app/hook/deliveries">[number];

/** The App. */
export function app({ name, html_url, ...granted }: App): AppFacts {
  return { name, url: html_url, ...grant(granted) };
}

/** The App's installation on a repository. */
export function installation({ suspended_at, ...granted }: Installed): Installation {
  return { suspended: (suspended_at ?? null) !== null, ...grant(granted) };
}

function grant({ permissions, events }: Pick<App | Installed, "permissions" | "events">): Grant {
  const texts = Object.entries(permissions).map(([name, level]) => [name, String(level)]);
  return { permissions: Object.fromEntries(texts), events };
}

/** A pull request, read by its number or from a list. */
export function pullRequest(pull: Pull): PullRequest {
  return {
    number: pull.number,
    title: pull.title,
    state: pull.state === "open" ? "open" : "closed",
    draft: pull.draft ?? false,
    author: pull.user?.login ?? "ghost",
    headSha: pull.head.sha,
    baseRef: pull.base.ref,
    labels: pull.labels.map(({ name }) => name),
    headPushedAt: pull.head.repo?.pushed_at ?? undefined,
    updatedAt: pull.updated_at,
    cloneUrl: pull.base.repo?.clone_url,
    defaultBranch: pull.base.repo?.default_branch ?? "main",
  };
}

export function status(status: Status): CommitStatus {
  return {
    context: status.context,
    state: status.state as CommitStatus["state"],
    description: status.description ?? "",
    targetUrl: status.target_url ?? undefined,
    createdAt: status.created_at,
  };
}

export function checkRun(run: Run): CheckRun {
  const status = run.status === "completed" || run.status === "in_progress" ? run.status : "queued";
  return {
    id: Number(run.id),
    name: run.name,
    headSha: run.head_sha,
    status,
    conclusion: (run.conclusion ?? undefined) as Conclusion | undefined,
    externalId: run.external_id ?? "",
    title: run.output.title ?? "",
    summary: run.output.summary ?? "",
    text: run.output.text ?? undefined,
    detailsUrl: run.details_url ?? undefined,
    startedAt: run.started_at ?? undefined,
    completedAt: run.completed_at ?? undefined,
  };
}

/** Labels whose last event (oldest first) is that the App added them. */
export function labelsAddedBy(appId: number, events: readonly LabelEvent[]): string[] {
  const ours = new Map<string, boolean>();
  for (const event of events) {
    const { name } = (event as { label?: { name?: string } }).label ?? {};
    if (name === undefined) continue;
    if (event.event === "labeled") ours.set(name, isBy(appId, event));
    else if (event.event === "unlabeled") ours.delete(name);
  }
  return [...ours].filter(([, byApp]) => byApp).map(([name]) => name);
}

/** Whether an App did this. */
export function isBy(appId: number, it: ByApp): boolean {
  return Number(it.performed_via_github_app?.id) === appId;
}

export function hookDelivery(delivery: Delivery): HookDelivery {
  return {
    id: delivery.id,
    guid: delivery.guid,
    event: delivery.event,
    deliveredAt: delivery.delivered_at,
    ok: delivery.status_code >= 200 && delivery.status_code < 300,
  };
}

/** The cursor of the next page in a `Link` header. */
export function nextCursor(link: string | undefined): string | undefined {
  const address = /<([^>]+)>;\s*rel="next"/.exec(link ?? "")?.[1];
  return address === undefined
    ? undefined
    : new URL(address).searchParams.get("cursor") ?? undefined;
}

/** Labels, comments and reactions. */
import { isBy, labelsAddedBy } from "./answers.ts";
import type { GitHub } from "./github.ts";
import { at, type Requests, unlessMissing } from "./requests.ts";
import { commentText } from "./texts.ts";

/** The methods of {@link GitHub} that this file is about. */
export function conversationMethods(
  requests: Requests,
): Pick<
  GitHub,
  "addLabels" | "removeLabel" | "labelsAddedByApp" | "react" | "commentOnce" | "replyOnce"
> {
  return {
    addLabels: addLabels(requests),
    removeLabel: removeLabel(requests),
    labelsAddedByApp: labelsAddedByApp(requests),
    react: react(requests),
    commentOnce: commentOnce(requests),
    replyOnce: replyOnce(requests),
  };
}

function addLabels(requests: Requests): GitHub["addLabels"] {
  return async (repo, number, labels) => {
    if (labels.length === 0) return;
    await requests.change(
      repo,
      `label pull request ${number}`,
      (request) =>
        request("POST /repos/{owner}/{repo}/issues/{issue_number}/labels", {
          ...at(repo),
          issue_number: number,
          labels: [...labels],
        }),
    );
  };
}

function removeLabel(requests: Requests): GitHub["removeLabel"] {
  return async (repo, number, label) => {
    await unlessMissing(() =>
      requests.change(
        repo,
        `remove a label of pull request ${number}`,
        (request) =>
          request("DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", {
            ...at(repo),
            issue_number: number,
            name: label,
          }),
      )
    );
  };
}

function labelsAddedByApp(requests: Requests): GitHub["labelsAddedByApp"] {
  return async (repo, number) => {
    const events = await requests.pages(
      repo,
      "list label events",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/issues/{issue_number}/events", {
          ...at(repo),
          ...page,
          issue_number: number,
        }),
    );
    return labelsAddedBy(requests.appId, events);
  };
}

function react(requests: Requests): GitHub["react"] {
  return async (repo, { kind, commentId }) => {
    const eyes = { ...at(repo), comment_id: commentId, content: "eyes" } as const;
    await requests.change(
      repo,
      "react to comment",
      (request) =>
        kind === "review-comment"
          ? request("POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions", eyes)
          : request("POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", eyes),
    );
  };
}

function commentOnce(requests: Requests): GitHub["commentOnce"] {
  return async (repo, number, { marker, body }) => {
    const hidden = hiddenMarker(marker);
    const where = { ...at(repo), issue_number: number };
    const comments = await requests.pages(
      repo,
      "list comments",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/issues/{issue_number}/comments", {
          ...where,
          ...page,
        }),
    );
    // Only our own count: anybody can write the marker.
    if (comments.some((it) => isBy(requests.appId, it) && it.body?.includes(hidden))) return;
    await requests.create(
      repo,
      `comment on pull request ${number}`,
      (request) =>
        request("POST /repos/{owner}/{repo}/issues/{issue_number}/comments", {
          ...where,
          body: commentText(`${hidden}\n${body}`),
        }),
    );
  };
}

function hiddenMarker(marker: string): string {
  return `<!-- ${marker.replaceAll(/[<>]|--/g, "")} -->`;
}

function replyOnce(requests: Requests): GitHub["replyOnce"] {
  return async (repo, { number, threadId }, { marker, body }) => {
    const hidden = hiddenMarker(marker);
    const where = { ...at(repo), pull_number: number };
    const comments = await requests.pages(
      repo,
      "list review comments",
      (request, page) =>
        request("GET /repos/{owner}/{repo}/pulls/{pull_number}/comments", { ...where, ...page }),
    );
    // GitHub does not say which App wrote a review comment; no person writes as a bot.
    if (comments.some(({ user, body }) => user?.type === "Bot" && body.includes(hidden))) {
      return true;
    }
    const replied = await unlessMissing(() =>
      requests.create(
        repo,
        `reply to a review comment on pull request ${number}`,
        (request) =>
          request("POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies", {
            ...where,
            comment_id: threadId,
            body: commentText(`${hidden}\n${body}`),
          }),
      )
    );
    return replied !== undefined;
  };
}

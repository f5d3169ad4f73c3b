/** Labels, comments and reactions. */
import { isBy, labelsAddedBy } from "./answers.ts";
import type { GitHub } from "./github.ts";
import { type Requests, unlessMissing } from "./requests.ts";
import { commentText } from "./texts.ts";

/** The methods of {@link GitHub} that this file is about. */
export function conversationMethods(requests: Requests) {
  return {
    async addLabels(repo, number, labels) {
      if (labels.length === 0) return;
      const route = "POST /repos/{owner}/{repo}/issues/{issue_number}/labels";
      const parameters = { issue_number: number, labels: [...labels] };
      await requests.on(repo).update(`label pull request ${number}`, route, parameters);
    },

    async removeLabel(repo, number, label) {
      const what = `remove a label of pull request ${number}`;
      const route = "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}";
      const parameters = { issue_number: number, name: label };
      await unlessMissing(() => requests.on(repo).update(what, route, parameters));
    },

    async labelsAddedByApp(repo, number) {
      const route = "GET /repos/{owner}/{repo}/issues/{issue_number}/events";
      const events = await requests.on(repo).pages("list label events", (request, page) => {
        return request(route, { ...page, issue_number: number });
      });
      return labelsAddedBy(requests.appId, events);
    },

    async react(repo, { kind, commentId }) {
      const route = kind === "review-comment"
        ? "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions"
        : "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions";
      const parameters = { comment_id: commentId, content: "eyes" } as const;
      await requests.on(repo).update("react to comment", route, parameters);
    },

    async commentOnce(repo, number, { marker, body }) {
      const hidden = hiddenMarker(marker);
      const path = "/repos/{owner}/{repo}/issues/{issue_number}/comments";
      const comments = await requests.on(repo).pages("list comments", (request, page) => {
        return request(`GET ${path}`, { ...page, issue_number: number });
      });
      // Only our own count: anybody can write the marker.
      if (comments.some((it) => isBy(requests.appId, it) && it.body?.includes(hidden))) return;
      await requests.on(repo).create(`comment on pull request ${number}`, `POST ${path}`, {
        issue_number: number,
        body: commentText(`${hidden}\n${body}`),
      });
    },

    async replyOnce(repo, { number, threadId }, { marker, body }) {
      const hidden = hiddenMarker(marker);
      const path = "/repos/{owner}/{repo}/pulls/{pull_number}/comments";
      const comments = await requests.on(repo).pages("list review comments", (request, page) => {
        return request(`GET ${path}`, { ...page, pull_number: number });
      });
      // GitHub does not say which App wrote a review comment; no person writes as a bot.
      if (comments.some(({ user, body }) => user?.type === "Bot" && body.includes(hidden))) {
        return true;
      }
      const what = `reply to a review comment on pull request ${number}`;
      const replied = await unlessMissing(() =>
        requests.on(repo).create(what, `POST ${path}/{comment_id}/replies`, {
          pull_number: number,
          comment_id: threadId,
          body: commentText(`${hidden}\n${body}`),
        })
      );
      return replied !== undefined;
    },
  } satisfies Partial<GitHub>;
}

function hiddenMarker(marker: string): string {
  return `<!-- ${marker.replaceAll(/[<>]|--/g, "")} -->`;
}

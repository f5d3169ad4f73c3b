/** Code comments, and what they share with other comments: the App's comments and its reactions. */
import {
  type Answer,
  type Call,
  NOT_FOUND,
  page,
  refusal,
  type Route,
  type Server,
  wrote,
} from "./route.ts";
import type { FakeComment } from "./state.ts";

/** The operations, by method and path as the description writes them. */
export const REVIEW_ROUTES: Readonly<Record<string, Route>> = {
  "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments": {
    as: "installation",
    answer: (call, { shapes }) => {
      const { repository, path } = call;
      const number = Number(path.pull_number);
      if (!repository.pulls.has(number)) return NOT_FOUND;
      const comments = repository.comments(number)
        .filter(({ kind }) => kind === "review-comment");
      return page(comments.map((comment) => shapes.reviewComment(repository, comment)), call);
    },
  },
  "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies": {
    as: "installation",
    answer: (call, server) => {
      const { repository, path } = call;
      const inReplyTo = Number(path.comment_id);
      const first = repository.allComments.find(({ id, kind }) =>
        kind === "review-comment" && id === inReplyTo
      );
      if (first?.number !== Number(path.pull_number)) return NOT_FOUND;
      // GitHub: "Replies to replies are not supported".
      if (first.inReplyTo !== undefined) return NOT_FOUND;
      const reply = { kind: "review-comment", number: first.number, inReplyTo } as const;
      return writeByApp(reply, call, server);
    },
  },
  "POST /repos/{owner}/{repo}/pulls/comments/{comment_id}/reactions": {
    as: "installation",
    answer: (call, server) => reactTo("review-comment", call, server),
  },
};

/** Writes a comment of the App with the request's body. */
export function writeByApp(
  place: Pick<FakeComment, "kind" | "number" | "inReplyTo">,
  call: Call,
  server: Server,
): Answer {
  const { repository, body: { body } } = call;
  if ([...body].length > 65_536) {
    return refusal(422, "Validation Failed: body is too long (maximum is 65536 characters)");
  }
  const comment: FakeComment = {
    ...place,
    id: server.nextId(),
    body,
    author: "tickborg[bot]",
    authorType: "Bot",
    authorAssociation: "NONE",
    byApp: true,
    createdAt: server.time(),
    reactions: [],
  };
  repository.allComments.push(comment);
  wrote(call, server, { kind: "comment", number: place.number });
  const shape = place.kind === "comment" ? "comment" : "reviewComment";
  return { status: 201, body: server.shapes[shape](repository, comment) };
}

/** Reacts to a comment of a kind, once. */
export function reactTo(kind: FakeComment["kind"], call: Call, server: Server): Answer {
  const { repository, path, body } = call;
  const comment = repository.allComments
    .find((it) => it.kind === kind && it.id === Number(path.comment_id));
  if (!comment) return NOT_FOUND;
  const status = comment.reactions.includes(body.content) ? 200 : 201;
  if (status === 201) comment.reactions.push(body.content);
  wrote(call, server, { kind: "reaction", number: comment.number });
  return { status, body: server.shapes.reaction(repository, body.content) };
}

/** Labels, comments and reactions. */
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
import { reactTo, writeByApp } from "./routes_reviews.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

function issueOf(call: Call): number | undefined {
  const number = Number(call.path.issue_number ?? call.path.pull_number);
  return call.repository.pulls.has(number) ? number : undefined;
}

/** The operations, by method and path as the description writes them. */
export const ISSUE_ROUTES: Readonly<Record<string, Route>> = {
  "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": {
    as: "installation",
    answer: (call, server) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      const names: string[] = (call.body.labels ?? call.body).map((it: Json) => it.name ?? it);
      if (names.some((name) => name.length > 50 || name === "")) {
        return refusal(422, "Validation Failed: name is too long (maximum is 50 characters)");
      }
      for (const name of names) {
        call.repository.recordLabel(number, name, { event: "labeled", byApp: true });
      }
      wrote(call, server, { kind: "label", number });
      return labelList(call, server, number);
    },
  },
  "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": {
    as: "installation",
    answer: (call, server) => {
      const number = issueOf(call);
      const name = call.path.name!;
      if (number === undefined || !call.repository.labels(number).includes(name)) {
        return refusal(404, "Label does not exist");
      }
      call.repository.recordLabel(number, name, { event: "unlabeled", byApp: true });
      wrote(call, server, { kind: "label", number });
      return labelList(call, server, number);
    },
  },
  "GET /repos/{owner}/{repo}/issues/{issue_number}/events": {
    as: "installation",
    answer: (call, { shapes }) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      const events = call.repository.labelEvents.filter((event) => event.number === number);
      return page(events.map((event) => shapes.labelEvent(call.repository, event)), call);
    },
  },
  "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": {
    as: "installation",
    answer: (call, { shapes }) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      const comments = call.repository.comments(number).filter(({ kind }) => kind === "comment");
      return page(comments.map((comment) => shapes.comment(call.repository, comment)), call);
    },
  },
  "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": {
    as: "installation",
    answer: (call, server) => {
      const number = issueOf(call);
      if (number === undefined) return NOT_FOUND;
      return writeByApp({ kind: "comment", number }, call, server);
    },
  },
  "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions": {
    as: "installation",
    answer: (call, server) => reactTo("comment", call, server),
  },
};

function labelList(call: Call, { shapes }: Server, number: number): Answer {
  const labels = call.repository.labels(number);
  return { status: 200, body: labels.map((it, index) => shapes.label(call.repository, it, index)) };
}

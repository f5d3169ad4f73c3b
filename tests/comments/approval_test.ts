import assert from "node:assert/strict";
import { approvalOf } from "../../lib/comments/approval.ts";
import type { CommitStatus } from "../../lib/github/github.ts";

Deno.test("what was approved is told from GitHub's own times", () => {
  const status = (at: string, request = "d", number = 7): CommitStatus => ({
    context: "tickborg/evaluation",
    state: "success",
    description: "",
    targetUrl: `https://logs.example/?key=a/b.js.${number}&request=${request}&at=${at}`,
    createdAt: "2030-01-01T00:00:00Z",
  });
  const table: [statuses: CommitStatus[], expected: string][] = [
    [[], "unknown"],
    [[{ ...status("2024-05-01T09:59:59Z"), context: "other" }], "unknown"],
    [[status("2024-05-01T09:59:59Z")], "older"],
    [[status("2024-05-01T10:00:00.500Z")], "in-doubt"],
    [[status("2024-05-01T10:00:01Z")], "newer"],
    [[status("not a time")], "newer"],
    // Somebody had it evaluated again with a comment; when it was pushed counts.
    [[status("2024-05-01T11:00:00Z", "comment-1"), status("2024-05-01T09:00:00Z")], "older"],
    // It was forced away and brought back after the comment.
    [[status("2024-05-01T11:00:00Z", "e"), status("2024-05-01T09:00:00Z")], "newer"],
    [[status("2024-05-01T09:00:00Z", "comment-1")], "older"],
    // It was seen before the comment, but as the head of another pull request.
    [[status("2024-05-01T09:00:00Z", "d", 8)], "unknown"],
    [[status("2024-05-01T11:00:00Z"), status("2024-05-01T09:00:00Z", "d", 8)], "newer"],
  ];
  for (const [statuses, expected] of table) {
    const comment = { number: 7, createdAt: "2024-05-01T10:00:00Z" };
    assert.equal(approvalOf(comment, { statuses }), expected);
  }
  const pushes: [headPushedAt: string, expected: string][] = [
    ["2024-05-01T09:59:59Z", "older"],
    ["2024-05-01T10:00:00Z", "in-doubt"],
    ["2024-05-01T10:00:01Z", "in-doubt"],
  ];
  for (const [headPushedAt, expected] of pushes) {
    const comment = { number: 7, createdAt: "2024-05-01T10:00:00Z" };
    const statuses = [status("2024-05-01T09:00:00Z")];
    assert.equal(approvalOf(comment, { statuses, headPushedAt }), expected);
  }
});

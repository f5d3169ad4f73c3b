import assert from "node:assert/strict";
import { skipMessages } from "../../lib/evaluation/messages.ts";
import { checkRunChanges } from "../../lib/check_runs/change.ts";
import { BuildResult } from "../../lib/messages/build_result.ts";
import { decode } from "../../lib/messages/codec.ts";

const request = {
  repo: { owner: "o", name: "r", full_name: "o/r", clone_url: "https://example.com/o/r.git" },
  pr: { number: 7, head_sha: "a".repeat(40), target_branch: "main" },
  requestId: "delivery-1",
  requestedAt: "2026-11-24T08:00:00.000Z",
};

Deno.test("a project that nobody can build shows as a skipped check run, the same one every time", () => {
  const skip = { project: "tray", because: "unserved", system: "aarch64-darwin" } as const;
  const messages = skipMessages(request, skip);
  assert.deepEqual(messages, skipMessages(request, skip));
  assert.deepEqual(messages.map(({ exchange }) => exchange), ["build-results", "logs"]);
  const result = decode(BuildResult, messages[0]!.body);
  const changes = checkRunChanges({ kind: "result", result });
  assert.deepEqual(
    changes.map((
      { name, buildState },
    ) => [name, "conclusion" in buildState && buildState.conclusion]),
    [
      ["tray on aarch64-darwin", "skipped"],
    ],
  );
});

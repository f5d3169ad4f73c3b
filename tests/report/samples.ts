/** Subjects and results of builds, as reports are tested with. */
import { BuildResult } from "../../lib/messages/build_result.ts";
import type { BuildSubject } from "../../lib/report/subject.ts";

/** A head. */
export const SHA = "1234567890abcdef1234567890abcdef12345678";
/** A base. */
export const BASE = "abcdefabcdefabcdefabcdefabcdefabcdefabcd";
/** A log viewer and a handle. */
export const ADDRESSES = { handle: "@tickbot", logViewer: "https://ci.example.com/logs/" };
/** A repository. */
export const repo = {
  owner: "Acme",
  name: "mono.repo",
  full_name: "Acme/mono.repo",
  clone_url: "https://github.com/Acme/mono.repo.git",
};
/** A pull request. */
export const pr = { target_branch: "main", number: 42, head_sha: SHA };

/** A build of a pull request. */
export function subject(fields: Partial<BuildSubject> = {}): BuildSubject {
  return {
    repo,
    pr,
    project: "cmark",
    system: "x86_64-linux",
    test: false,
    baseSha: BASE,
    ...fields,
  };
}

/** A build that failed. */
export function result(fields: Partial<BuildResult> = {}): BuildResult {
  return {
    ...BuildResult.parse({
      tag: "V1",
      repo,
      pr,
      system: "x86_64-linux",
      output: ["[1/2] cc a.c", "a.c:1: error: no"],
      attempt_id: "a1",
      request_id: "r1",
      status: "Failure",
      attempted_attrs: ["cmark"],
      skipped_attrs: [],
      step: "build",
      command: "cmake --build build --parallel 2",
      duration_seconds: 125,
      base_sha: BASE,
      identity: "builder-1",
    }),
    ...fields,
  };
}

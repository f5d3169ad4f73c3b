/** Pull requests, files and permissions. */
import { NOT_FOUND, page, type Route } from "./route.ts";

/** The operations, by method and path as the description writes them. */
export const READ_ROUTES: Readonly<Record<string, Route>> = {
  "GET /repos/{owner}/{repo}": {
    as: "installation",
    answer: ({ repository }, { shapes }) => ({ status: 200, body: shapes.repository(repository) }),
  },
  "GET /repos/{owner}/{repo}/contents/{path}": {
    as: "installation",
    answer: async ({ repository, path, query }) => {
      const raw = await repository.fileAt(query.get("ref") ?? repository.defaultBranch, path.path!);
      if (!raw) return NOT_FOUND;
      const headers = { "content-type": "application/vnd.github.raw+json; charset=utf-8" };
      return { status: 200, raw, headers };
    },
  },
  "GET /repos/{owner}/{repo}/pulls/{pull_number}": {
    as: "installation",
    answer: ({ path, repository }, { shapes }) => {
      const pull = repository.pulls.get(Number(path.pull_number));
      return pull ? { status: 200, body: shapes.pull(repository, pull) } : NOT_FOUND;
    },
  },
  "GET /repos/{owner}/{repo}/pulls": {
    as: "installation",
    answer: (call, { shapes }) => {
      const state = call.query.get("state") ?? "open";
      const pulls = [...call.repository.pulls.values()]
        .filter((pull) => state === "all" || pull.state === state);
      const order = call.query.get("direction") === "asc" ? 1 : -1;
      const key = call.query.get("sort") === "updated" ? "updatedAt" : "createdAt";
      pulls.sort((a, b) => order * (a[key].localeCompare(b[key]) || a.number - b.number));
      return page(pulls.map((pull) => shapes.listedPull(call.repository, pull)), call);
    },
  },
  "GET /repos/{owner}/{repo}/collaborators/{username}/permission": {
    as: "installation",
    answer: ({ repository, path }, { shapes }) => {
      const login = path.username!;
      const permission = repository.permissions.get(login);
      if (permission === "unknown user") return NOT_FOUND;
      return { status: 200, body: shapes.permission(repository, login, permission ?? "read") };
    },
  },
};

/** Requests as the App itself: its settings and installations. */
import * as read from "./answers.ts";
import { type GitHub, GitHubRefusal, UnknownApp } from "./github.ts";
import { at, type Requests, unlessMissing } from "./requests.ts";

/** The methods of {@link GitHub} in this file. */
export function appMethods(requests: Requests): Pick<GitHub, "app" | "installation"> {
  return { app: app(requests), installation: installation(requests) };
}

function app({ transport }: Requests): GitHub["app"] {
  return async () => {
    const purpose = { what: "read the App", repeatable: true };
    try {
      const { data } = await transport.asApp(purpose, (request) => request("GET /app"));
      if (!data?.permissions) {
        throw new GitHubRefusal("Cannot read the App: GitHub returned no App", 404);
      }
      return read.app(data);
    } catch (error) {
      if (!(error instanceof GitHubRefusal)) throw error;
      throw new UnknownApp(
        `${error.message}; check that github.api_url is GitHub's API, https://api.github.com or ` +
          "https://<server>/api/v3, and that the App is on that server",
      );
    }
  };
}

function installation({ transport }: Requests): GitHub["installation"] {
  return (repo) =>
    unlessMissing(async () => {
      const what = `find the App's installation on ${repo.owner}/${repo.name}`;
      const { data } = await transport.asApp(
        { what, repeatable: true },
        (request) => request("GET /repos/{owner}/{repo}/installation", at(repo)),
      );
      return read.installation(data);
    });
}

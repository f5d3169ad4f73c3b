/** The App itself and where it is installed, asked for as the App. */
import * as read from "./answers.ts";
import { type GitHub, GitHubRefusal, UnknownApp } from "./github.ts";
import { type Requests, unlessMissing } from "./requests.ts";
import { findInstallation } from "./transport.ts";

/** The methods of {@link GitHub} that this file is about. */
export function appMethods({ transport }: Requests) {
  return {
    async app() {
      const purpose = { what: "read the App", repeatable: true };
      try {
        const { data } = await transport.asApp(purpose, (request) => request("GET /app"));
        if (!data?.permissions) {
          throw new GitHubRefusal("Cannot read the App: GitHub knows none", 404);
        }
        return read.app(data);
      } catch (error) {
        if (!(error instanceof GitHubRefusal)) throw error;
        throw new UnknownApp(
          `${error.message}; is github.api_url the address of GitHub's API, https://api.github.com or ` +
            "https://<server>/api/v3, and is the App of that server?",
        );
      }
    },

    installation: (repo) =>
      unlessMissing(async () => read.installation((await findInstallation(transport, repo)).data)),
  } satisfies Partial<GitHub>;
}

/** The App itself and where it is installed, asked for as the App. */
import * as read from "./answers.ts";
import { type GitHub, GitHubRefusal, type HookDelivery, UnknownApp } from "./github.ts";
import { PAGE, type Requests, unlessMissing } from "./requests.ts";
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

/** Pages of deliveries that are read at once: 20,000 deliveries, a fortieth of an App's requests an hour. */
const MAX_DELIVERY_PAGES = 200;

/** The methods of {@link GitHub} that this file is about. */
export function hookMethods({ transport }: Requests) {
  return {
    async hookDeliveries(since) {
      const deliveries: HookDelivery[] = [];
      let cursor: string | undefined;
      for (let page = 1; page <= MAX_DELIVERY_PAGES; page++) {
        const parameters = { per_page: PAGE, ...(cursor === undefined ? {} : { cursor }) };
        const { data, headers } = await transport.asApp(
          { what: "list webhook deliveries", repeatable: true },
          (request) => request("GET /app/hook/deliveries", parameters),
        );
        const recent = data.filter((it) => Date.parse(it.delivered_at) >= since);
        deliveries.push(...recent.map(read.hookDelivery));
        cursor = read.nextCursor(headers.link);
        const last = recent.length < data.length || cursor === undefined;
        if (last) return { deliveries, complete: true };
      }
      return { deliveries, complete: false };
    },

    async redeliver(deliveryId) {
      const route = "POST /app/hook/deliveries/{delivery_id}/attempts";
      await transport.asApp(
        { what: `redeliver webhook ${deliveryId}`, repeatable: false },
        // Octokit's types do not know yet that it writes a bigint as well.
        (request) => request(route, { delivery_id: deliveryId as number }),
      );
    },
  } satisfies Partial<GitHub>;
}

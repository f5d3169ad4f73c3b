/** The log of the App's own webhook. */
import * as read from "./answers.ts";
import type { GitHub, HookDelivery } from "./github.ts";
import { PAGE, type Requests } from "./requests.ts";

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

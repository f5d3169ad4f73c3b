/** The log of the App's own webhook. */
import * as read from "./answers.ts";
import type { GitHub, HookDelivery } from "./github.ts";
import { PAGE, type Requests } from "./requests.ts";

/** Pages of deliveries to read: 20,000 deliveries, a fortieth of an App's requests per hour. */
const MAX_DELIVERY_PAGES = 200;

/** The methods of {@link GitHub} in this file. */
export function hookMethods(requests: Requests): Pick<GitHub, "hookDeliveries" | "redeliver"> {
  return { hookDeliveries: hookDeliveries(requests), redeliver: redeliver(requests) };
}

function hookDeliveries(requests: Requests): GitHub["hookDeliveries"] {
  return async (since) => {
    const deliveries: HookDelivery[] = [];
    let cursor: string | undefined;
    for (let page = 1; page <= MAX_DELIVERY_PAGES; page++) {
      const { data, headers } = await requests.transport.asApp(
        { what: "list webhook deliveries", repeatable: true },
        (request) =>
          request("GET /app/hook/deliveries", {
            per_page: PAGE,
            ...(cursor === undefined ? {} : { cursor }),
          }),
      );
      const recent = data.filter((it) => Date.parse(it.delivered_at) >= since);
      deliveries.push(...recent.map(read.hookDelivery));
      cursor = read.nextCursor(headers.link);
      const last = recent.length < data.length || cursor === undefined;
      if (last) return { deliveries, complete: true };
    }
    return { deliveries, complete: false };
  };
}

function redeliver(requests: Requests): GitHub["redeliver"] {
  return async (deliveryId) => {
    await requests.transport.asApp(
      { what: `redeliver webhook ${deliveryId}`, repeatable: false },
      (request) =>
        request("POST /app/hook/deliveries/{delivery_id}/attempts", {
          // Octokit accepts a bigint too, but its types do not say so.
          delivery_id: deliveryId as number,
        }),
    );
  };
}

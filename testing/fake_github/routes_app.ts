/** Requests of the App as itself: installations, tokens, the log of its webhook. */
import { NOT_FOUND, type Route } from "./route.ts";

/** The operations, by method and path as the description writes them. */
export const APP_ROUTES: Readonly<Record<string, Route>> = {
  "GET /app": {
    as: "app",
    answer: (_call, { shapes, app }) => ({ status: 200, body: shapes.app(app) }),
  },
  "GET /repos/{owner}/{repo}/installation": {
    as: "app",
    answer: ({ repository }, { shapes, app }) =>
      repository.installed
        ? { status: 200, body: shapes.installation(repository, app) }
        : NOT_FOUND,
  },
  "POST /app/installations/{installation_id}/access_tokens": {
    as: "app",
    answer: ({ path }, { app, shapes }) => {
      if (Number(path.installation_id) !== app.installationId) return NOT_FOUND;
      const { token, expiresAt } = app.createToken();
      return { status: 201, body: shapes.token(token, expiresAt) };
    },
  },
  "GET /app/hook/deliveries": {
    as: "app",
    answer: (call, server) => {
      const size = Number(call.query.get("per_page") ?? 30);
      const cursor = Number(call.query.get("cursor") ?? Infinity);
      const older = server.deliveries.filter(({ id }) => id <= cursor).toReversed();
      const body = older.slice(0, size)
        .map((it) => server.shapes.delivery(it, server.app.installationId));
      const next = older[size]?.id;
      const link = `<${call.url}?cursor=${next}&per_page=${size}>; rel="next"`;
      return next === undefined ? { status: 200, body } : { status: 200, body, headers: { link } };
    },
  },
  "POST /app/hook/deliveries/{delivery_id}/attempts": {
    as: "app",
    answer: ({ path }, server) => {
      const delivery = server.deliveries.find(({ id }) => id === Number(path.delivery_id));
      if (!delivery) return NOT_FOUND;
      server.redeliver(delivery);
      return { status: 202, body: {} };
    },
  },
};

/** Every operation of GitHub's API that the fake answers: those that Tickborg may use. */
import type { Route } from "./route.ts";
import { APP_ROUTES } from "./routes_app.ts";
import { CHECK_ROUTES } from "./routes_checks.ts";
import { ISSUE_ROUTES } from "./routes_issues.ts";
import { READ_ROUTES } from "./routes_reads.ts";
import { REVIEW_ROUTES } from "./routes_reviews.ts";

/** The operations, by method and path as the description writes them. */
export const ROUTES: Readonly<Record<string, Route>> = {
  ...APP_ROUTES,
  ...READ_ROUTES,
  ...CHECK_ROUTES,
  ...ISSUE_ROUTES,
  ...REVIEW_ROUTES,
};

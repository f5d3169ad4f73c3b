/**
 * Writes `testing/data/github_openapi.json`: the operations that the fake GitHub answers and
 * everything they refer to, without prose, from GitHub's own description (`@octokit/openapi`, 13 MB
 * in a package of 400 MB). The package is not a dependency of the project, because it would be
 * installed with every role.
 *
 *     deno run -A --no-lock testing/fake_github/extract_description.ts
 */
import { ROUTES } from "./routes.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const PACKAGE = "npm:@octokit/openapi@23.0.2/generated/api.github.com.json";

/** What is left out: prose and examples that cannot be checked. */
const PROSE = new Set(["description", "summary", "tags", "externalDocs", "x-github", "examples"]);

/** The description's examples that answers are based on. */
const EXAMPLES = [
  "check-run",
  "full-repository-default-response",
  "installation",
  "installation-token",
  "integration",
  "issue-comment",
  "issue-event-for-issue-items",
  "label-items",
  "pull-request",
  "pull-request-review-comment",
  "pull-request-simple-items",
  "reaction",
  "repository-collaborator-permission-response-if-user-has-admin-permissions",
  "status",
] as const;

/** The part of the description that the fake needs. */
export async function extractDescription(): Promise<Json> {
  const source: string = PACKAGE;
  const { default: whole } = await import(source, { with: { type: "json" } });
  const part: Json = { openapi: whole.openapi, source: PACKAGE, paths: {}, components: {} };
  const pointers: string[] = [];

  /** A copy without prose; records what it refers to. */
  function copy(node: Json, isSchemaMap = false): Json {
    if (Array.isArray(node)) return node.map((item) => copy(item));
    if (node === null || typeof node !== "object") return node;
    if (typeof node.$ref === "string") pointers.push(node.$ref);
    // A property may be called "description"; it is prose only next to schema keywords.
    const kept = Object.entries(node).filter(([key]) => isSchemaMap || !PROSE.has(key));
    return Object.fromEntries(
      kept.map(([key, value]) => [key, copy(value, key === "properties" && !isSchemaMap)]),
    );
  }

  for (const route of Object.keys(ROUTES)) {
    const [method, template] = route.split(" ") as [string, string];
    part.paths[template] ??= {};
    part.paths[template][method.toLowerCase()] = copy(
      whole.paths[template][method.toLowerCase()],
    );
  }
  for (let pointer = pointers.pop(); pointer !== undefined; pointer = pointers.pop()) {
    const [, , kind, name] = pointer.split("/") as [string, string, string, string];
    part.components[kind] ??= {};
    part.components[kind][name] ??= copy(whole.components[kind][name]);
  }
  part.components.examples = Object.fromEntries(
    EXAMPLES.map((name) => [name, whole.components.examples[name]]),
  );
  return part;
}

if (import.meta.main) {
  const target = new URL("../data/github_openapi.json", import.meta.url);
  await Deno.writeTextFile(target, `${JSON.stringify(await extractDescription())}\n`);
}

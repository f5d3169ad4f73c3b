/**
 * Asks a role on this machine for its health: `bin/healthcheck <port>`, as the containers' health checks do.
 * Exit code 0 when it answers 200, 1 when it answers anything else or nothing within five seconds.
 */

/** What is wrong with the role that listens on a port; undefined when it is well. */
async function healthProblem(port: number): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, {
      signal: AbortSignal.timeout(5_000),
      redirect: "manual",
    });
    const text = await response.text();
    return response.status === 200 ? undefined : `${response.status} ${text.trim().slice(0, 200)}`;
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.message : error}`;
  }
}

if (import.meta.main) {
  const port = Number(Deno.args[0]);
  if (!Number.isInteger(port) || port < 1 || port > 65_535 || Deno.args.length !== 1) {
    console.error("Usage: healthcheck <port>");
    Deno.exit(2);
  }
  const problem = await healthProblem(port);
  if (problem !== undefined) console.error(problem);
  Deno.exit(problem === undefined ? 0 : 1);
}

/** A process that runs a build and waits to be killed: `orphan_builder.ts <sandbox> <folder> <sleep>`. */
import { getLogger } from "@logtape/logtape";
import { createGuard } from "../../lib/builder/sandbox/guard.ts";
import { createJobFolder } from "../../lib/builder/checkout/job_folder.ts";
import { openSandbox } from "../../lib/builder/sandbox/open_sandbox.ts";
import { runCommand } from "../../lib/builder/sandbox/process.ts";

const [mode, jobsRoot, seconds] = Deno.args as ["bubblewrap" | "none", string, string];
const sandbox = await openSandbox({
  mode,
  network: false,
  jobsRoot,
  hide: [],
  extraEnv: {},
  log: getLogger(["test"]),
});
const folder = await createJobFolder(jobsRoot, "job");
// One process in the group, one that left the session, one that ignores SIGTERM and left it too.
const script = `
setsid sleep ${seconds} &
setsid sh -c 'trap "" TERM HUP; sleep ${seconds}; sleep ${seconds}' &
sleep ${seconds} & echo started; wait`;
const command = sandbox.wrap(
  { argv: ["sh", "-c", script], cwd: sandbox.places(folder).tree, env: {} },
  folder,
);
for await (const lines of runCommand({ ...command, guard: createGuard(), timeoutMs: 300_000 })) {
  console.log(lines.join("\n"));
}

/**
 * Starts roles as `main.ts` does, with shorter delays before a message is tried again: tests of faults cannot
 * wait for hours. Arguments: what multiplies the delays, a role or `all`, and the file of the configuration.
 */
import { runAll, runRoles } from "../../commands/run_roles.ts";
import { loadConfig } from "../../lib/config/config.ts";
import { logSettings, setUpLogging } from "../../lib/runtime/log.ts";
import { exitCodeOf } from "../../main.ts";
import { isRoleName } from "../../services/roles.ts";

const [scale, role, configPath] = Deno.args;
await setUpLogging(logSettings((name) => Deno.env.get(name)));
Deno.exit(
  await exitCodeOf(async () =>
    isRoleName(role!)
      ? await runRoles(role, ["--config", configPath!], Number(scale))
      : await runAll(await loadConfig(configPath!), Number(scale))
  ),
);

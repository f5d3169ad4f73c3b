/** What no build may see, even if it is in a folder of tools. */
import { join } from "node:path";
import { type Config, sourceOf } from "../../config/config.ts";
import { secretFiles, secretPath } from "../../config/secrets.ts";
import { checkoutRoot, jobsRoot } from "../builder_context.ts";

/**
 * Files and folders with secrets or data of other jobs: the configuration, the secrets it names
 * that are on this machine, the embedded broker's file and those SQLite keeps next to it, the logs,
 * the clones and the folders of jobs. `credentials` is `CREDENTIALS_DIRECTORY`.
 */
export function secretPaths(config: Config, credentials: string | undefined): string[] {
  const broker = config.embedded_broker.path;
  const secrets = secretFiles(config).map(({ path }) => path)
    .filter((path) => credentials !== undefined || !path.startsWith("credential:"))
    .map((path) => secretPath(path, credentials));
  const places = [
    sourceOf(config),
    ...secrets,
    ...["", "-wal", "-shm"].map((suffix) => `${broker}${suffix}`),
    config.log_message_collector?.logs_path,
    config.log_api_config?.logs_path,
    ...clonesAndJobs(config),
  ];
  return [...new Set(places.filter((place) => place !== undefined))];
}

/** Creates those that a builder would create later: a path that does not exist cannot be hidden. */
export async function makeSecretPaths(config: Config): Promise<void> {
  for (const folder of clonesAndJobs(config)) await Deno.mkdir(folder, { recursive: true });
}

function clonesAndJobs(config: Config): string[] {
  return [join(checkoutRoot(config), "repositories"), jobsRoot(config)];
}

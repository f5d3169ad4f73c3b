/** What no build may see, whatever folder of tools it may lie in. */
import { join } from "node:path";
import { type Config, sourceOf } from "../../config/config.ts";
import { secretFiles, secretPath } from "../../config/secrets.ts";
import { checkoutRoot, jobsRoot } from "../builder_context.ts";

/**
 * Files and folders that hold secrets, or what other jobs made: the configuration, the secrets it names that
 * are on this machine, the embedded broker's file with those SQLite keeps beside it, the logs, the clones and
 * the folders of jobs. `credentials` is `CREDENTIALS_DIRECTORY`.
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

/** Makes those that a builder itself would make later: what is not there cannot be hidden. */
export async function makeSecretPaths(config: Config): Promise<void> {
  for (const folder of clonesAndJobs(config)) await Deno.mkdir(folder, { recursive: true });
}

function clonesAndJobs(config: Config): string[] {
  return [join(checkoutRoot(config), "repositories"), jobsRoot(config)];
}

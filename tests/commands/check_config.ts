/** What the commands that check a configuration say of one. */
import { join } from "node:path";
import { tickborg } from "./run.ts";

/** A section that every configuration has. */
export const runner = { identity: "laptop", repos: ["a/b"] };

/** Writes a configuration and gives what both commands say of it. */
export async function checkConfig(folder: string, config: Record<string, unknown>) {
  const path = join(folder, "config.json");
  await Deno.writeTextFile(path, JSON.stringify({ runner, ...config }));
  const check = await tickborg(["check-config", "--config", path, "--json"]);
  const all = async () => await tickborg(["all", "--config", path], { cwd: folder });
  return { code: check.code, ...JSON.parse(check.out), all } as {
    readonly code: number;
    readonly mistakes: string[];
    readonly loadedLater: string[];
    readonly all: typeof all;
  };
}

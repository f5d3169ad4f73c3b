/** Nix's evaluator, on the files of tests/data/nix. */
import { type HandlerResult, repositoryPath, run } from "./tools.ts";

/** The store path that the stand-in for nixpkgs gives Tickborg's package. */
export const PACKAGE = "/nix/store/00000000000000000000000000000000-tickborg";

/** What Nix's evaluator gives for a file of tests/data/nix, as JSON; it needs a home to work in. */
export async function evaluate(
  file: string,
  args: Record<string, string> = {},
): Promise<HandlerResult> {
  const home = await Deno.makeTempDir();
  try {
    return await run([
      "nix-instantiate",
      ...["--eval", "--strict", "--json", repositoryPath(`tests/data/nix/${file}`)],
      ...Object.entries(args).flatMap(([name, value]) => ["--argstr", name, value]),
    ], { env: { HOME: home, NIX_STATE_DIR: `${home}/nix`, NIX_LOG_DIR: `${home}/log` } });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

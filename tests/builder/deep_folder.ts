/** A chain of folders in folders, as a hostile build makes one. */

/** Levels that are made at once: what a path can hold (PATH_MAX). */
const AT_ONCE = 1_000;

/** Makes a chain of `depth` folders at `folder`, a multiple of a thousand. */
export async function makeDeepFolder(folder: string, depth: number): Promise<void> {
  const [top, chain] = [`${folder}.top`, "d/".repeat(AT_ONCE)];
  await Deno.mkdir(folder);
  for (let made = 0; made < depth; made += AT_ONCE) {
    await Deno.mkdir(`${top}/${chain}`, { recursive: true });
    await Deno.rename(folder, `${top}/${chain}d`);
    await Deno.rename(top, folder);
  }
}

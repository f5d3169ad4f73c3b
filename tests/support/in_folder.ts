/** Runs a story in a fresh folder, which is removed at the end. */
export async function inFolder(story: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tickborg-test-" });
  try {
    await story(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

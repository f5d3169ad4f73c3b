/** Quoting for shells. */

/** Quotes a word for a POSIX shell, or for `cmd` on Windows. */
export function shellWord(word: string, os: typeof Deno.build.os = "linux"): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) || (os === "windows" && /^[\w\\:./=-]+$/.test(word))) {
    return word;
  }
  return os === "windows"
    ? `"${word.replaceAll('"', '""')}"`
    : `'${word.replaceAll("'", "'\\''")}'`;
}

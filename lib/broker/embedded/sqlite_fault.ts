/** Which of SQLite's errors pass. */

/** SQLite's result codes (sqlite.org/rescode.html) that pass when there is room, or the other one is gone. */
const SQLITE = { busy: 5, full: 13, ioError: 10 } as const;

const SQLITE_WORDS: Readonly<Record<string, number>> = {
  "database is locked": SQLITE.busy,
  "database or disk is full": SQLITE.full,
  "disk I/O error": SQLITE.ioError,
};

/** Whether an error of SQLite says that there is no room, or that the disk failed for now. */
export function isDiskFault(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE.full || code === SQLITE.ioError;
}

/** Whether an error of SQLite says that another process has the file. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE.busy;
}

/** SQLite's primary result code of an error; Deno gives none for what `exec` throws, only SQLite's words. */
function resultCode(error: unknown): number | undefined {
  const { errcode, message } = error as { errcode?: unknown; message?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  return SQLITE_WORDS[String(message)];
}

/** Recognizes SQLite's transient errors. */

/** SQLite's transient result codes (sqlite.org/rescode.html): the file is in use or has no room. */
const SQLITE = { busy: 5, full: 13, ioError: 10 } as const;

const SQLITE_WORDS: Readonly<Record<string, number>> = {
  "database is locked": SQLITE.busy,
  "database or disk is full": SQLITE.full,
  "disk I/O error": SQLITE.ioError,
};

/** Whether a SQLite error says that there is no room, or that the disk failed for now. */
export function isDiskFault(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE.full || code === SQLITE.ioError;
}

/** Whether a SQLite error says that another process has the file open. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === SQLITE.busy;
}

/** SQLite's primary result code of an error. Errors of `exec` have only SQLite's message. */
function resultCode(error: unknown): number | undefined {
  const { errcode, message } = error as { errcode?: unknown; message?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  return SQLITE_WORDS[String(message)];
}

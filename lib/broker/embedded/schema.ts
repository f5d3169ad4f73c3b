/** The layout of the embedded broker's file. */
import type { DatabaseSync } from "node:sqlite";
import { ConfigError } from "../../common/errors.ts";

/**
 * `state` is 0 for a waiting message, 1 for one that a consumer has, 2 for one that waits until
 * `due` (milliseconds since the epoch). `position` orders a queue; a message keeps it when it is
 * taken.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    position INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0,
    redelivered INTEGER NOT NULL DEFAULT 0,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS waiting ON messages (queue, position) WHERE state = 0;
  CREATE INDEX IF NOT EXISTS delayed ON messages (due) WHERE state = 2;
`;

/** The layout of the file; a file of another layout is refused. */
const SCHEMA_VERSION = 1;

/** Bytes to which the write-ahead log is truncated after a checkpoint. */
const WAL_LIMIT = 16 * 1024 * 1024;

/**
 * Locks the file, creates its tables, and puts back what a dead process had taken. Throws a
 * {@link ConfigError} for a file of another layout.
 */
export function prepare(db: DatabaseSync, { maxBytes }: { maxBytes?: number | undefined }): void {
  // Set before the first access: the lock is then kept, and the log needs no shared memory.
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL");
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
  db.exec(`PRAGMA journal_size_limit = ${WAL_LIMIT}`);
  const version = Object.values(db.prepare("PRAGMA user_version").get()!)[0] as number;
  if (version !== 0 && version !== SCHEMA_VERSION) {
    throw new ConfigError(
      `Cannot open embedded broker: its file has layout ${version}, not ${SCHEMA_VERSION}; ` +
        "use the version of Tickborg that wrote it, or name another file",
    );
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION};
    UPDATE messages SET state = 0, redelivered = 1 WHERE state = 1; COMMIT`);
  if (maxBytes !== undefined) {
    const size = Object.values(db.prepare("PRAGMA page_size").get()!)[0] as number;
    db.exec(`PRAGMA max_page_count = ${Math.ceil(maxBytes / size)}`);
  }
}

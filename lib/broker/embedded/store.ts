/** The embedded broker's file: messages in SQLite, one process at a time. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ConfigError } from "../../errors.ts";

/** A message to store. */
export interface NewMessage {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

/** A message as it is stored. */
export interface StoredMessage extends NewMessage {
  readonly id: number;
  readonly position: number;
  readonly redelivered: boolean;
}

/**
 * `state` is 0 for a message that waits, 1 for one that a consumer has, 2 for one that waits for its time
 * (`due`, milliseconds since the epoch). `position` orders a queue; a message that was taken keeps it.
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

/** The layout of the file; another one is refused rather than misread. */
const SCHEMA_VERSION = 1;

/** Bytes the write-ahead log is cut back to after a checkpoint. */
const WAL_LIMIT = 16 * 1024 * 1024;

/** SQLite's result codes (sqlite.org/rescode.html) that pass when there is room, or the other one is gone. */
const SQLITE = { busy: 5, full: 13, ioError: 10 } as const;

const SQLITE_WORDS: Readonly<Record<string, number>> = {
  "database is locked": SQLITE.busy,
  "database or disk is full": SQLITE.full,
  "disk I/O error": SQLITE.ioError,
};

/** How to open the file. */
export interface StoreOptions {
  /** Bytes the file may grow to; beyond it is as if the disk were full. */
  readonly maxBytes?: number | undefined;
}

/** Whether an error of SQLite says that there is no room, or that the disk failed for now. */
export function isDiskFault(error: unknown): boolean {
  const code = resultCode(error);
  return code === SQLITE.full || code === SQLITE.ioError;
}

/** SQLite's primary result code of an error; Deno gives none for what `exec` throws, only SQLite's words. */
function resultCode(error: unknown): number | undefined {
  const { errcode, message } = error as { errcode?: unknown; message?: unknown };
  if (typeof errcode === "number") return errcode & 0xff;
  return SQLITE_WORDS[String(message)];
}

/** The file. Every method is synchronous; one transaction spans many calls. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #nextPosition: number;

  /** Opens or makes the file. Throws a {@link ConfigError} where another process has it. */
  constructor(path: string, options: StoreOptions = {}) {
    const db = new DatabaseSync(path);
    try {
      prepare(db, options);
    } catch (error) {
      db.close();
      if (resultCode(error) !== SQLITE.busy) throw error;
      throw new ConfigError(
        `Cannot open embedded broker ${path}: another process has it. ` +
          "It serves one process; use RabbitMQ for more",
        { cause: error },
      );
    }
    this.#db = db;
    this.#nextPosition = 1 + this.#number("SELECT coalesce(max(position), 0) FROM messages");
  }

  /** Runs `work` in one transaction, durable when it returns; undone when it throws. */
  transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      // SQLite has rolled back by itself after some faults.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  insert(message: NewMessage): void {
    this.#run(
      "INSERT INTO messages (queue, position, exchange, routing_key, headers, body) " +
        "VALUES (?, ?, ?, ?, ?, ?)",
      message.queue,
      this.#nextPosition++,
      message.exchange,
      message.routingKey,
      JSON.stringify(message.headers),
      message.body,
    );
  }

  /** Writes as much as a webhook and takes it away again; throws where there is no room for it. */
  probe(): void {
    const { lastInsertRowid } = this.#statement(
      "INSERT INTO messages (queue, position, exchange, routing_key, headers, body) " +
        "VALUES ('', 0, '', '', '{}', zeroblob(100000))",
    ).run();
    this.remove(Number(lastInsertRowid));
  }

  /** Takes up to `limit` waiting messages, oldest first. */
  take(queue: string, limit: number): StoredMessage[] {
    const rows = this.#statement(
      "SELECT * FROM messages WHERE state = 0 AND queue = ? ORDER BY position LIMIT ?",
    ).all(queue, limit) as unknown as Row[];
    for (const row of rows) this.#run("UPDATE messages SET state = 1 WHERE id = ?", row.id);
    return rows.map(fromRow);
  }

  /** Takes the first waiting message after a position and up to another one. */
  takeBetween(queue: string, after: number, upTo: number): StoredMessage | undefined {
    const row = this.#statement(
      "SELECT * FROM messages WHERE state = 0 AND queue = ? AND position > ? AND position <= ? " +
        "ORDER BY position LIMIT 1",
    ).get(queue, after, upTo) as Row | undefined;
    if (row === undefined) return undefined;
    this.#run("UPDATE messages SET state = 1 WHERE id = ?", row.id);
    return fromRow(row);
  }

  remove(id: number): void {
    this.#run("DELETE FROM messages WHERE id = ?", id);
  }

  /** Removes what waits in a queue beyond its newest messages. */
  keepNewest(queue: string, keep: number): void {
    this.#run(
      "DELETE FROM messages WHERE state = 0 AND queue = ? AND position <= (SELECT position " +
        "FROM messages WHERE state = 0 AND queue = ? ORDER BY position DESC LIMIT 1 OFFSET ?)",
      queue,
      queue,
      keep,
    );
  }

  /** Puts a message back to where it was. */
  putBack(id: number): void {
    this.#run("UPDATE messages SET state = 0, redelivered = 1 WHERE id = ?", id);
  }

  /** Lets a message wait until `due`, milliseconds since the epoch. */
  postpone(id: number, due: number, headers: Readonly<Record<string, unknown>>): void {
    this.#run(
      "UPDATE messages SET state = 2, due = ?, redelivered = 0, headers = ? WHERE id = ?",
      due,
      JSON.stringify(headers),
      id,
    );
  }

  /** Moves a message to the end of another queue. */
  move(id: number, queue: string, headers: Readonly<Record<string, unknown>>): void {
    this.#run(
      "UPDATE messages SET state = 0, redelivered = 0, queue = ?, position = ?, exchange = '', " +
        "routing_key = ?, headers = ? WHERE id = ?",
      queue,
      this.#nextPosition++,
      queue,
      JSON.stringify(headers),
      id,
    );
  }

  /** Puts messages whose time has come at the end of their queues, whose names it returns. */
  release(now: number): string[] {
    const rows = this.#statement(
      "SELECT id, queue FROM messages WHERE state = 2 AND due <= ? ORDER BY due LIMIT 1000",
    ).all(now) as unknown as { id: number; queue: string }[];
    for (const { id } of rows) {
      this.#run(
        "UPDATE messages SET state = 0, position = ? WHERE id = ?",
        this.#nextPosition++,
        id,
      );
    }
    return [...new Set(rows.map(({ queue }) => queue))];
  }

  /** When the next delayed message is due, milliseconds since the epoch. */
  nextDue(): number | undefined {
    const row = this.#statement("SELECT min(due) AS due FROM messages WHERE state = 2").get();
    return (row?.due ?? undefined) as number | undefined;
  }

  /** How many messages of a queue wait. */
  waiting(queue: string): number {
    return this.#number("SELECT count(*) FROM messages WHERE state = 0 AND queue = ?", queue);
  }

  /** The position after which every later message stands. */
  get lastPosition(): number {
    return this.#nextPosition - 1;
  }

  /** Gives room that is no longer needed back to the file system and closes the file. */
  close(): void {
    try {
      this.#db.exec("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk must not keep the process from ending; the next start does the same.
    }
    this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #run(sql: string, ...values: (string | number | Uint8Array)[]): void {
    this.#statement(sql).run(...values);
  }

  #number(sql: string, ...values: string[]): number {
    return Object.values(this.#statement(sql).get(...values) ?? {})[0] as number;
  }
}

/** Locks the file, makes its tables, and gives back what a process that died had taken. */
function prepare(db: DatabaseSync, options: StoreOptions): void {
  // Set before the first access: the lock is then kept, and no shared memory is needed for the log.
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL");
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
  db.exec(`PRAGMA journal_size_limit = ${WAL_LIMIT}`);
  const version = Object.values(db.prepare("PRAGMA user_version").get()!)[0] as number;
  if (version !== 0 && version !== SCHEMA_VERSION) {
    throw new ConfigError(
      `Cannot open embedded broker: its file has layout ${version}, not ${SCHEMA_VERSION}`,
    );
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION};
    UPDATE messages SET state = 0, redelivered = 1 WHERE state = 1; COMMIT`);
  if (options.maxBytes !== undefined) {
    const size = Object.values(db.prepare("PRAGMA page_size").get()!)[0] as number;
    db.exec(`PRAGMA max_page_count = ${Math.ceil(options.maxBytes / size)}`);
  }
}

interface Row {
  readonly id: number;
  readonly queue: string;
  readonly position: number;
  readonly redelivered: number;
  readonly exchange: string;
  readonly routing_key: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

function fromRow(row: Row): StoredMessage {
  return {
    id: row.id,
    queue: row.queue,
    position: row.position,
    redelivered: row.redelivered === 1,
    exchange: row.exchange,
    routingKey: row.routing_key,
    headers: JSON.parse(row.headers),
    body: row.body,
  };
}

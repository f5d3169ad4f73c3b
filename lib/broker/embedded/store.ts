/** The embedded broker's file: messages in SQLite, one process at a time. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { ConfigError } from "../../common/errors.ts";
import { fromRow, type NewMessage, type Row, type StoredMessage } from "./message.ts";
import { prepare } from "./schema.ts";
import { isBusy } from "./sqlite_fault.ts";

/** How to open the file. */
export interface StoreOptions {
  /** Maximum bytes of the file; reaching it is the same as a full disk. */
  readonly maxBytes?: number | undefined;
}

/** The file. Every method is synchronous; one transaction may have many calls. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #nextPosition: number;

  /** Opens or creates the file. Throws a {@link ConfigError} if another process has it open. */
  constructor(path: string, options: StoreOptions = {}) {
    const db = new DatabaseSync(path);
    try {
      prepare(db, options);
    } catch (error) {
      db.close();
      if (!isBusy(error)) throw error;
      throw new ConfigError(
        `Cannot open embedded broker ${path}: another process has it open; ` +
          "stop that process, or use RabbitMQ for several",
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
      // After some faults SQLite has already rolled back.
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

  /** Writes as much as a webhook and deletes it again; throws if there is no room for it. */
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

  /** Takes the first waiting message after one position and up to another. */
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

  /** Removes a queue's waiting messages except the newest `keep`. */
  keepNewest(queue: string, keep: number): void {
    this.#run(
      "DELETE FROM messages WHERE state = 0 AND queue = ? AND position <= (SELECT position " +
        "FROM messages WHERE state = 0 AND queue = ? ORDER BY position DESC LIMIT 1 OFFSET ?)",
      queue,
      queue,
      keep,
    );
  }

  /** Puts a message back at its position. */
  putBack(id: number): void {
    this.#run("UPDATE messages SET state = 0, redelivered = 1 WHERE id = ?", id);
  }

  /** Makes a message wait until `due`, in milliseconds since the epoch. */
  postpone(id: number, due: number, headers: Readonly<Record<string, unknown>>): void {
    this.#run(
      "UPDATE messages SET state = 2, due = ?, redelivered = 0, headers = ? WHERE id = ?",
      due,
      JSON.stringify(headers),
      id,
    );
  }

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

  /** Appends messages that are due to their queues; returns the names of these queues. */
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

  waiting(queue: string): number {
    return this.#number("SELECT count(*) FROM messages WHERE state = 0 AND queue = ?", queue);
  }

  /** The last position so far; every later message gets a higher one. */
  get lastPosition(): number {
    return this.#nextPosition - 1;
  }

  /** Returns unused space to the file system, and closes the file. */
  close(): void {
    try {
      this.#db.exec("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk must not stop the process from ending; the next start does the same.
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

/** Messages of the embedded broker, and their form in its file. */

/** A message to store. */
export interface NewMessage {
  readonly queue: string;
  readonly exchange: string;
  readonly routingKey: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Uint8Array;
}

/** A stored message. */
export interface StoredMessage extends NewMessage {
  readonly id: number;
  readonly position: number;
  readonly redelivered: boolean;
}

/** A row of the table `messages`. */
export interface Row {
  readonly id: number;
  readonly queue: string;
  readonly position: number;
  readonly redelivered: number;
  readonly exchange: string;
  readonly routing_key: string;
  readonly headers: string;
  readonly body: Uint8Array;
}

/** The message in a row. */
export function fromRow(row: Row): StoredMessage {
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

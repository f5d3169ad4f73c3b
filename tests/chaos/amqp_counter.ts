/**
 * Counts AMQP 0-9-1 methods in the bytes of connections: what roles publish and what they are handed. A
 * frame is type (1), channel (2), size (4), payload, 0xCE (AMQP 0-9-1 specification, 2.3.5); a method's
 * payload begins with its class and its number, 2 bytes each.
 */

const METHOD_FRAME = 1;
const FRAME_OVERHEAD = 8;
/** `AMQP` and a version: the only bytes outside of frames, first on each connection. */
const GREETING_BYTES = 8;
const BASIC = 60;
const PUBLISH = 40;
const DELIVER = 60;

/** Counts of every connection together. */
export class AmqpCounter {
  published = 0;
  delivered = 0;

  /** Taps for the two directions of one connection. */
  connection(): { fromClient(bytes: Uint8Array): void; fromServer(bytes: Uint8Array): void } {
    const client = new FrameReader(GREETING_BYTES, (classId, method) => {
      if (classId === BASIC && method === PUBLISH) this.published++;
    });
    const server = new FrameReader(0, (classId, method) => {
      if (classId === BASIC && method === DELIVER) this.delivered++;
    });
    return {
      fromClient: (bytes) => client.read(bytes),
      fromServer: (bytes) => server.read(bytes),
    };
  }
}

/** Bytes of a frame that must be seen to know what it is. */
const HEAD_BYTES = 11;

class FrameReader {
  readonly #head = new Uint8Array(HEAD_BYTES);
  readonly #onMethod: (classId: number, method: number) => void;
  #filled = 0;
  #skip: number;

  constructor(skip: number, onMethod: (classId: number, method: number) => void) {
    this.#skip = skip;
    this.#onMethod = onMethod;
  }

  read(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      this.#head[this.#filled++] = bytes[at++]!;
      // A frame without payload, such as a heartbeat, is as short as its head and end.
      const size = this.#filled >= 7 ? this.#view.getUint32(3) : undefined;
      if (size === undefined) continue;
      const wanted = size < 4 ? 7 : HEAD_BYTES;
      if (this.#filled < wanted) continue;
      if (this.#head[0] === METHOD_FRAME && size >= 4) {
        this.#onMethod(this.#view.getUint16(7), this.#view.getUint16(9));
      }
      this.#skip = size + FRAME_OVERHEAD - this.#filled;
      this.#filled = 0;
    }
  }

  get #view(): DataView {
    return new DataView(this.#head.buffer);
  }
}

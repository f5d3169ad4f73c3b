/** Streams of a log's bytes: a part of a file, or a file that is still being written. */
import { delay } from "../common/async.ts";
import type { AttemptPaths } from "./paths.ts";
import { isComplete } from "./read.ts";

const CHUNK = 64 * 1024;

/** Milliseconds between two checks of a log, in case another process writes it. */
const POLL_MS = 2_000;

/** A part of a file: `length` bytes from `start`. */
export async function filePart(
  path: string,
  start: number,
  length: number,
): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path);
  await file.seek(start, Deno.SeekMode.Start);
  let left = length;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const buffer = new Uint8Array(Math.min(CHUNK, left));
      const read = left === 0 ? null : await file.read(buffer);
      if (read === null) {
        file.close();
        return controller.close();
      }
      left -= read;
      controller.enqueue(buffer.subarray(0, read));
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}

/** How to follow a log. */
export interface FollowOptions {
  readonly paths: AttemptPaths;
  readonly start: number;
  /** Calls `changed` when this process has written to the log; returns what ends it. */
  readonly subscribe: (changed: () => void) => () => void;
  readonly stop: AbortSignal;
  /** Called once when the stream is over, however it ends. */
  readonly ended: () => void;
}

/** A log from a byte on, and what is appended to it, until its attempt is over. */
export async function followFile(options: FollowOptions): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(options.paths.text);
  await file.seek(options.start, Deno.SeekMode.Start);
  const follower = new Follower(file, options);
  return new ReadableStream<Uint8Array>({
    pull: (controller) => follower.pull(controller),
    cancel: () => follower.end(),
  }, { highWaterMark: 0 });
}

class Follower {
  readonly #file: Deno.FsFile;
  readonly #options: FollowOptions;
  readonly #wakeUp = () => this.#sleep.abort();
  readonly #unsubscribe: () => void;
  #sleep = new AbortController();
  #over = false;

  constructor(file: Deno.FsFile, options: FollowOptions) {
    this.#file = file;
    this.#options = options;
    this.#unsubscribe = options.subscribe(this.#wakeUp);
    options.stop.addEventListener("abort", this.#wakeUp);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const chunk = await this.#nextChunk();
      if (chunk !== undefined) return controller.enqueue(chunk);
      this.end();
      controller.close();
    } catch (error) {
      this.end();
      controller.error(error);
    }
  }

  /** The next bytes, once there are any; undefined at the end. */
  async #nextChunk(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(CHUNK);
    while (!this.#over && !this.#options.stop.aborted) {
      this.#sleep = new AbortController();
      // Checked before the read: what was written by then is read below.
      const complete = await isComplete(this.#options.paths);
      if (this.#over) return undefined;
      const read = await this.#file.read(buffer);
      if (read !== null) return buffer.subarray(0, read);
      if (complete) return undefined;
      await delay(POLL_MS, this.#sleep.signal);
    }
    return undefined;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#unsubscribe();
    this.#options.stop.removeEventListener("abort", this.#wakeUp);
    this.#file.close();
    this.#options.ended();
    this.#wakeUp();
  }
}

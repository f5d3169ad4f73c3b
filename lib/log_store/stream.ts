/** Streams of a log's bytes: a part of a file, or a file that is still being written. */
import { delay } from "../async.ts";
import type { LogStore } from "./store.ts";
import type { AttemptPaths } from "./paths.ts";
import { isComplete } from "./read.ts";

const CHUNK = 64 * 1024;

/** Milliseconds after which a log is looked at without a sign that it changed: another process may write it. */
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

/** How a log is followed. */
export interface FollowOptions {
  readonly store: LogStore;
  readonly paths: AttemptPaths;
  readonly start: number;
  /** Ends the stream. */
  readonly stop: AbortSignal;
  /** Called once when the stream is over, however it ends. */
  readonly ended: () => void;
}

/** A log from a byte on, and what is added to it, until its attempt is over. */
export async function followFile(options: FollowOptions): Promise<ReadableStream<Uint8Array>> {
  const { store, paths, stop } = options;
  const file = await Deno.open(paths.text);
  await file.seek(options.start, Deno.SeekMode.Start);
  let wake = new AbortController();
  const wakeUp = () => wake.abort();
  const unwatch = store.watch(paths.key, paths.attempt, wakeUp);
  stop.addEventListener("abort", wakeUp);
  let over = false;

  function end(): void {
    if (over) return;
    over = true;
    unwatch();
    stop.removeEventListener("abort", wakeUp);
    file.close();
    options.ended();
    wake.abort();
  }

  async function nextChunk(): Promise<Uint8Array | undefined> {
    const buffer = new Uint8Array(CHUNK);
    while (!over && !stop.aborted) {
      wake = new AbortController();
      // Asked before the read: what was written by then is read below.
      const complete = await isComplete(paths);
      if (over) return undefined;
      const read = await file.read(buffer);
      if (read !== null) return buffer.subarray(0, read);
      if (complete) return undefined;
      await delay(POLL_MS, wake.signal);
    }
    return undefined;
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const chunk = await nextChunk();
        if (chunk !== undefined) return controller.enqueue(chunk);
        end();
        controller.close();
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

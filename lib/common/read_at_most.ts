import { Buffer } from "node:buffer";

/** The bytes of an answer; undefined where there are more than `most`, of which the rest is not read. */
export async function readAtMost(
  most: number,
  { body }: Response,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the rest of the answer.
    if (size > most) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

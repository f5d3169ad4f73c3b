/** What a clone lacks. */

/** The clone cannot tell what would be built; the message says why and what to type. */
export class CloneError extends Error {
  override name = "CloneError";
}

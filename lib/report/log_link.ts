/** Addresses of log pages. */

/**
 * The log viewer's page for an attempt, or for all attempts of a log key; undefined without a
 * viewer, or if a browser could not open its address.
 */
export function logLink(
  viewer: string | undefined,
  key: string,
  attempt?: string,
): string | undefined {
  if (viewer === undefined || !canBeOpened(viewer)) return undefined;
  const root = viewer.replace(/\/+$/, "");
  const chosen = attempt === undefined ? "" : `&attempt_id=${parameter(attempt)}`;
  return `${root}/?key=${parameter(key).replaceAll("%2F", "/")}${chosen}`;
}

/** Whether a browser could open the address. */
export function canBeOpened(address: string): boolean {
  return /^https?:\/\/\S+$/.test(address) && URL.canParse(address);
}

/** Encodes a query parameter, including characters that would end a Markdown link. */
function parameter(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

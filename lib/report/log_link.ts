/** Addresses of pages that show logs. */

/**
 * The page of the log viewer that shows an attempt's log, or every attempt's of a log key; undefined where
 * there is no viewer, or none that a browser could open.
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

/** A query parameter without the marks that would end a link in Markdown. */
function parameter(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

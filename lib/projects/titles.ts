/** Detects unfinished pull requests by their titles. */

/** Whether a title marks work in progress: `WIP: …`, `[WIP] …`, `wip …`, `Draft: …`, ignoring case. */
export function isWorkInProgress(title: string): boolean {
  return /^\s*(\[\s*draft\s*\]|(wip|draft)(\([^()]*\))?\s*:|wip(\s|$))/i.test(title) ||
    /\[\s*wip\s*\]/i.test(title);
}

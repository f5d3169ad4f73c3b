/** What a pull request's title says about whether it is ready. */

/** Whether a title marks work in progress: `WIP: …`, `[WIP] …`, `wip …`, `Draft: …`, in any case. */
export function isWorkInProgress(title: string): boolean {
  return /^\s*(\[\s*draft\s*\]|(wip|draft)(\([^()]*\))?\s*:|wip(\s|$))/i.test(title) ||
    /\[\s*wip\s*\]/i.test(title);
}

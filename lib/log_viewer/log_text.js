/** Shows the log in blocks of text and follows its end. */
/** An element of the page. */
export const byId = (id) => document.getElementById(id);

/** Characters per block: the browser lays out only visible blocks. */
const BLOCK_LENGTH = 16 * 1024;

/** Pixels; `page.css` has the font. */
const LINE_HEIGHT = 13 * 1.45;

/** Pixels from the end that still count as the end: two lines. */
const NEAR = 2 * LINE_HEIGHT;

/** Milliseconds to gather text, for fewer layouts. */
const GATHER_MS = 30;

/** Escape sequences that make no sense outside of a terminal. */
// deno-lint-ignore no-control-regex
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g;

/** Text that is not shown yet. */
let gathered = "";

/** Whether the page follows the end of the log. */
let following = true;
let lastTop = 0;

function setFollowing(on) {
  following = on;
  byId("follow").checked = on;
}

function toEnd() {
  scrollTo(0, document.documentElement.scrollHeight);
  lastTop = scrollY;
}

/** Pixels from the visible part to the end. */
function toGo() {
  return document.documentElement.scrollHeight - innerHeight - scrollY;
}

/** Stops following when the user scrolls up. */
function noticeMoveUp() {
  // The browser also scrolls when blocks get their real height, but then the end is still near.
  if (scrollY >= lastTop - 1 || toGo() <= NEAR) return;
  setFollowing(false);
  lastTop = scrollY;
}

/** Follows again when the user returns to the end. */
function onScroll() {
  noticeMoveUp();
  if (scrollY > lastTop && toGo() <= NEAR) setFollowing(true);
  lastTop = scrollY;
}

export function watchScrolling() {
  addEventListener("scroll", onScroll, { passive: true });
  // Blocks get their real height when they become visible.
  new ResizeObserver(() => {
    // The scroll event may still be pending.
    noticeMoveUp();
    if (following) toEnd();
  }).observe(byId("log"));
  byId("follow").addEventListener("change", ({ target }) => {
    setFollowing(target.checked);
    if (following) toEnd();
  });
}

/** Appends text, never as HTML. */
export function append(text) {
  if (gathered === "") setTimeout(flush, GATHER_MS);
  gathered += text;
}

function flush() {
  // The scroll event may still be pending.
  noticeMoveUp();
  const text = gathered.replace(ANSI, "").replace(/\r\n/g, "\n");
  gathered = "";
  const log = byId("log");
  const last = log.lastElementChild;
  let from = 0;
  if (last && last.textContent.length < BLOCK_LENGTH) {
    from = endOfBlock(text, BLOCK_LENGTH - last.textContent.length);
    last.append(text.slice(0, from));
    expectHeight(last);
  }
  const blocks = document.createDocumentFragment();
  while (from < text.length) {
    const block = document.createElement("div");
    const end = endOfBlock(text, from + BLOCK_LENGTH);
    block.append(text.slice(from, end));
    expectHeight(block);
    blocks.append(block);
    from = end;
  }
  log.append(blocks);
  if (following) toEnd();
}

/** Estimates a block's height from its lines: without it the page would jump. */
function expectHeight(block) {
  const lines = block.textContent.split("\n").length - 1;
  block.style.containIntrinsicSize = `auto ${Math.max(1, lines) * LINE_HEIGHT}px`;
}

/** A block ends at the end of a line. */
function endOfBlock(text, wanted) {
  const end = text.indexOf("\n", Math.max(0, wanted - 1)) + 1;
  return end === 0 ? text.length : end;
}

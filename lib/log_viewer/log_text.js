/** The log as blocks of text, and whether its end is followed. */
/** An element of the page. */
export const byId = (id) => document.getElementById(id);

/** Characters after which the text goes on in a new block: the browser lays out only those that are seen. */
const BLOCK_LENGTH = 16 * 1024;

/** Pixels; `page.css` has the font. */
const LINE_HEIGHT = 13 * 1.45;

/** Pixels from the end that still are the end: two lines. */
const NEAR = 2 * LINE_HEIGHT;

/** Milliseconds that text is gathered for, so that the browser lays it out once. */
const GATHER_MS = 30;

/** Escape sequences that make no sense outside of a terminal. */
// deno-lint-ignore no-control-regex
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g;

/** Text that waits to be shown. */
let gathered = "";

/** Whether the end of the log is what people look at. */
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

/** How far the end is below what is seen, in pixels. */
function toGo() {
  return document.documentElement.scrollHeight - innerHeight - scrollY;
}

/** Whoever moves up, by whatever means, stays there. */
function noticeMoveUp() {
  // Where blocks get their true height the browser moves too, but the end stays where it was.
  if (scrollY >= lastTop - 1 || toGo() <= NEAR) return;
  setFollowing(false);
  lastTop = scrollY;
}

/** Whoever comes back to the end follows again. */
function onScroll() {
  noticeMoveUp();
  if (scrollY > lastTop && toGo() <= NEAR) setFollowing(true);
  lastTop = scrollY;
}

/** Lets people follow the log's end, or stay where they read. */
export function watchScrolling() {
  addEventListener("scroll", onScroll, { passive: true });
  // Blocks get their true height when they are seen first.
  new ResizeObserver(() => {
    // A move that the browser has not told of yet.
    noticeMoveUp();
    if (following) toEnd();
  }).observe(byId("log"));
  byId("follow").addEventListener("change", ({ target }) => {
    setFollowing(target.checked);
    if (following) toEnd();
  });
}

/** Writes text as text, whatever it holds. */
export function append(text) {
  if (gathered === "") setTimeout(flush, GATHER_MS);
  gathered += text;
}

function flush() {
  // A move that the browser has not told of yet.
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

/** The height that a block has as long as no line is broken: without it the page would jump when one is seen. */
function expectHeight(block) {
  const lines = block.textContent.split("\n").length - 1;
  block.style.containIntrinsicSize = `auto ${Math.max(1, lines) * LINE_HEIGHT}px`;
}

/** A block ends with a line, so that no block parts a line. */
function endOfBlock(text, wanted) {
  const end = text.indexOf("\n", Math.max(0, wanted - 1)) + 1;
  return end === 0 ? text.length : end;
}

/** The log viewer: lists the attempts of a log key, shows one, and follows it over every break. */
const query = new URLSearchParams(location.search);
const key = query.get("key") ?? "";
const wanted = query.get("attempt_id") ?? "";
const byId = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Characters after which the text goes on in a new block, so that the browser lays out what is seen. */
const BLOCK_LENGTH = 64 * 1024;

/** Escape sequences that make no sense outside of a terminal. */
// deno-lint-ignore no-control-regex
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[@-Z\\-_])/g;

/** A path below this page, wherever a proxy has put it. */
function below(folder, ...parts) {
  const path = parts.flatMap((part) => part.split("/")).map(encodeURIComponent).join("/");
  return `${folder}/${path}`;
}

function say(text) {
  byId("state").textContent = text;
}

/** What there is under the key; undefined where nothing is, or not yet. Throws where the server is away. */
async function readIndex() {
  const response = await fetch(below("logs", key), { cache: "no-store" });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return (await response.json()).attempts;
}

/** How an attempt stands: its words and the class of their colour. */
function standing({ result }) {
  if (!result) return ["Running", "busy"];
  const status = result.status ?? "Skipped";
  if (typeof status === "object") return ["Infrastructure error", "bad"];
  if (status === "Success") return ["Success", "good"];
  if (status === "Skipped") return [result.skipped_reason ?? "Skipped", ""];
  return [status === "TimedOut" ? "Timed out" : status, "bad"];
}

function projects({ metadata, result }) {
  const names = metadata?.attempted_attrs ?? result?.attempted_attrs ?? [];
  return names.join(", ") || "Build";
}

function title(attempt) {
  const system = attempt.metadata?.system ?? attempt.result?.system;
  return projects(attempt) + (system ? ` on ${system}` : "");
}

function showAttempts(attempts) {
  const links = Object.entries(attempts).map(([id, attempt]) => {
    const link = document.createElement("a");
    link.href = `?${new URLSearchParams({ key, attempt_id: id })}`;
    if (id === wanted) link.setAttribute("aria-current", "page");
    const [words, colour] = standing(attempt);
    const status = document.createElement("span");
    status.className = colour;
    status.textContent = words;
    const small = document.createElement("small");
    const builder = attempt.metadata?.identity ?? attempt.result?.identity;
    const changed = attempt.modified ? new Date(attempt.modified).toLocaleString() : "";
    small.textContent = [builder && `by ${builder}`, changed].filter(Boolean).join(", ");
    link.append(title(attempt), document.createElement("br"), status, small);
    return link;
  });
  byId("attempts").replaceChildren(...links);
  const attempt = attempts[wanted];
  if (!attempt) return;
  const [words, colour] = standing(attempt);
  const status = document.createElement("span");
  status.className = colour;
  status.textContent = words;
  byId("about").replaceChildren(`${title(attempt)}: `, status);
  document.title = `${words}: ${title(attempt)}`;
}

/** Writes text as text, whatever it holds. */
function append(text) {
  const log = byId("log");
  const last = log.lastElementChild;
  const clean = text.replace(ANSI, "").replace(/\r\n/g, "\n");
  if (last && last.textContent.length < BLOCK_LENGTH) last.append(clean);
  else {
    const block = document.createElement("div");
    block.append(clean);
    log.append(block);
  }
  if (byId("follow").checked) scrollTo(0, document.documentElement.scrollHeight);
}

/** Shows what is new of the log from a place on until the answer ends or breaks. Resolves to the new place. */
async function read(place) {
  const url = `${below("logfile", key, wanted)}?follow=1&offset=${place.offset}`;
  const response = await fetch(url, { cache: "no-store" });
  if (response.status === 404) throw new Error("The log is not there yet");
  if (!response.ok) throw new Error(`Connection lost: the server answered ${response.status}`);
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    place.offset += value.length;
    place.failures = 0;
    // A block ends with a line, so that no block parts a line.
    const text = place.rest + place.decoder.decode(value, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    place.rest = text.slice(end);
    if (end > 0) append(text.slice(0, end));
  }
}

/** Follows the log to its end, over every break. */
async function follow() {
  const place = { offset: 0, failures: 0, rest: "", decoder: new TextDecoder() };
  for (;;) {
    try {
      say("Live");
      await read(place);
      const attempts = await readIndex();
      if (attempts) showAttempts(attempts);
      if (attempts?.[wanted]?.complete && attempts[wanted].size <= place.offset) break;
      await pause(500);
    } catch (error) {
      place.failures++;
      say(`${error.message}; trying again`);
      await pause(Math.min(1000 * 2 ** place.failures, 15000));
    }
  }
  if (place.rest) append(place.rest);
  say("Complete");
}

/** Keeps the list of attempts up to date while something may still happen. */
async function list() {
  for (;;) {
    let wait = 10000;
    try {
      const attempts = await readIndex();
      if (!attempts) {
        if (!wanted) say("There are no logs yet. This page looks again by itself.");
      } else {
        showAttempts(attempts);
        if (!wanted) say("");
        if (Object.values(attempts).every((attempt) => attempt.complete)) wait = 60000;
      }
    } catch (error) {
      if (!wanted) say(`${error.message}; trying again`);
    }
    await pause(wait);
  }
}

if (key === "") {
  byId("find").hidden = false;
} else {
  byId("title").textContent = key;
  document.title = `Logs of ${key}`;
  list();
}
if (key !== "" && wanted !== "") {
  byId("shown").hidden = false;
  byId("raw").href = below("logfile", key, wanted);
  const letGo = () => byId("follow").checked = false;
  addEventListener("touchmove", letGo, { passive: true });
  addEventListener("wheel", (event) => event.deltaY < 0 && letGo(), { passive: true });
  addEventListener("keydown", ({ key }) => /^(PageUp|Home|ArrowUp)$/.test(key) && letGo());
  follow();
}

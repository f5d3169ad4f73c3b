/** The log viewer: lists the attempts of a log key, shows one, and follows it across interruptions. */
import { append, byId, watchScrolling } from "./log_text.js";
import { reasons, standing, title, whyNoLogs } from "./words.js";

const query = new URLSearchParams(location.search);
const key = query.get("key") ?? "";
const wanted = query.get("attempt_id") ?? "";
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Milliseconds after which the server counts as down. */
const TIMEOUT_MS = 15000;

/** Milliseconds between updates of the list of attempts, which also detect a lost server. */
const LOOK_MS = 10000;

/** A path relative to this page, independent of a proxy's path. */
function below(folder, ...parts) {
  const path = parts.flatMap((part) => part.split("/")).map(encodeURIComponent).join("/");
  return `${folder}/${path}`;
}

function note(text) {
  byId("note").textContent = text;
}

/** Shows the state: `live`, `reconnecting` or `ended`. */
function say(state, text) {
  byId("state").className = state;
  byId("state").textContent = text;
}

/** The attempts of the key; undefined if there are none yet. Throws if the server is down. */
async function readIndex() {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(below("logs", key), { cache: "no-store", signal });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return (await response.json()).attempts;
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
  byId("reason").textContent = reasons(attempt);
}

class NotYet extends Error {}

/** Shows the log from a place on, until the answer ends or is interrupted. */
async function read(place) {
  const breaker = place.breaker = new AbortController();
  const url = `${below("logfile", key, wanted)}?follow=1&offset=${place.offset}`;
  const early = setTimeout(() => breaker.abort(), TIMEOUT_MS);
  const response = await fetch(url, { cache: "no-store", signal: breaker.signal })
    .finally(() => clearTimeout(early));
  if (response.status === 404) throw new NotYet("the log is not there yet");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  say("live", "Live");
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    place.offset += value.length;
    place.failures = 0;
    const text = place.rest + place.decoder.decode(value, { stream: true });
    const end = text.lastIndexOf("\n") + 1;
    place.rest = text.slice(end);
    if (end > 0) append(text.slice(0, end));
  }
}

/** Follows the log to its end, across interruptions. */
async function follow(place) {
  for (;;) {
    try {
      await read(place);
      const attempts = await readIndex();
      if (attempts) showAttempts(attempts);
      if (attempts?.[wanted]?.complete && attempts[wanted].size <= place.offset) break;
      await pause(500);
    } catch (error) {
      place.failures++;
      const wait = Math.min(1000 * 2 ** place.failures, 15000);
      const what = error instanceof NotYet ? "Waiting" : "Reconnecting";
      say("reconnecting", `${what}: ${why(error)}; next try in ${wait / 1000} s`);
      await pause(wait);
      say("reconnecting", what);
    }
  }
  place.ended = true;
  if (place.rest) append(place.rest);
  say("ended", "Ended");
}

function why({ name, message }) {
  if (name === "AbortError" || name === "TimeoutError") return "the server does not answer";
  return name === "TypeError" ? "the connection was lost" : message;
}

/** Keeps the list of attempts up to date. */
async function list(place) {
  for (;;) {
    let wait = LOOK_MS;
    try {
      const attempts = await readIndex();
      note(attempts || wanted ? "" : whyNoLogs(query.get("outcome") ?? ""));
      if (attempts) {
        showAttempts(attempts);
        if (Object.values(attempts).every((attempt) => attempt.complete)) wait = 60000;
      }
    } catch (error) {
      note(wanted ? "" : `Cannot read the list of logs: ${why(error)}; trying again`);
      // A silent stream does not show that its server is gone.
      if (!place.ended) place.breaker?.abort();
    }
    await pause(wait);
  }
}

if (key === "") {
  byId("find").hidden = false;
} else {
  const place = { offset: 0, failures: 0, rest: "", decoder: new TextDecoder() };
  byId("title").textContent = key;
  document.title = `Logs of ${key}`;
  if (wanted !== "") {
    byId("shown").hidden = false;
    byId("raw").href = below("logfile", key, wanted);
    say("reconnecting", "Connecting");
    watchScrolling();
    follow(place);
  }
  list(place);
}

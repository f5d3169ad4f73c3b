/** Checks that check runs link to readable logs. */
import { describeError } from "../common/errors.ts";
import { canBeOpened } from "../report/log_link.ts";
import { redacted } from "../text/redacted.ts";

/** Milliseconds the log server may take to answer. */
const TIMEOUT_MS = 10_000;

/** The problem with the page at the address and what to do, in one line; undefined without one. */
export async function checkLogAddress(
  address: string,
  timeoutMs = TIMEOUT_MS,
): Promise<string | undefined> {
  if (!canBeOpened(address)) return undefined;
  const url = `${address.replace(/\/+$/, "")}/`;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { signal, redirect: "follow" });
    await response.body?.cancel();
    const advice = response.ok ? undefined : adviceForStatus(response.status);
    return advice && `${redacted(url)} answered ${response.status}: ${advice}`;
  } catch (error) {
    const why = describeError(error);
    return `${redacted(url)} cannot be read: ${adviceForFault(why)}`;
  }
}

function adviceForStatus(status: number): string {
  if (status === 404) {
    return "the log server has no page there; log_api_config.serve_root and " +
      "github_comment_poster.log_viewer must have the path that the reverse proxy forwards, such as /logs";
  }
  if (status >= 502 && status <= 504) {
    return "the reverse proxy does not reach log-message-collector; start it, or correct its address in the " +
      "proxy's settings";
  }
  return "people cannot read the logs; see the reverse proxy's log for the reason";
}

function adviceForFault(why: string): string {
  if (/dns|lookup|resolve/i.test(why)) {
    return "its host name does not resolve; check its spelling and its DNS record";
  }
  if (/certificate|tls|handshake|InvalidContentType/i.test(why)) {
    return `TLS fails (${why.split(": ").at(-1)}); correct the certificate, or use http://`;
  }
  if (/refused/i.test(why)) {
    return "nothing listens there; start log-message-collector and its reverse proxy";
  }
  if (/timed? ?out/i.test(why)) return "no answer in time; check for a firewall in between";
  return `${why.split(": ").at(-1)}; is log-message-collector reachable there?`;
}

/** Whether people can read logs at the address that check runs link to. */
import { describeError } from "../common/errors.ts";
import { canBeOpened } from "../report/log_link.ts";
import { redacted } from "../text/redacted.ts";

/** Milliseconds that the log server is given to answer. */
const TIMEOUT_MS = 10_000;

/** What is wrong with the page at the address, in one line with what to do; undefined where nothing is. */
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
      "github_comment_poster.log_viewer must have the path that the reverse proxy hands on, such as /logs";
  }
  if (status >= 502 && status <= 504) {
    return "the reverse proxy is there, log-message-collector behind it is not; start it, or mend the " +
      "proxy's address of it";
  }
  return "people cannot read the logs; ask the reverse proxy's log for the reason";
}

function adviceForFault(why: string): string {
  if (/dns|lookup|resolve/i.test(why)) {
    return "its host name does not resolve; check how it is spelled, and its DNS record";
  }
  if (/certificate|tls|handshake|InvalidContentType/i.test(why)) {
    return `TLS fails (${why.split(": ").at(-1)}); mend the certificate, or write http://`;
  }
  if (/refused/i.test(why)) {
    return "nothing listens there; start log-message-collector and the reverse proxy before it";
  }
  if (/timed? ?out/i.test(why)) return "no answer in time; is a firewall between?";
  return `${why.split(": ").at(-1)}; is log-message-collector reachable there?`;
}

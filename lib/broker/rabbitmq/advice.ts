/** Pure: explains why a connection to RabbitMQ fails, and what to do. */
import { shellWord } from "../../text/shell.ts";
import type { RabbitMqSettings } from "./connection.ts";
import { asFault } from "./fault.ts";

type Server = Omit<RabbitMqSettings, "password">;

interface Rule {
  /** Matches the fault's code, or part of its message. */
  readonly when: RegExp;
  todo(server: Server): string;
}

const RULES: readonly Rule[] = [
  {
    when: /ENOTFOUND|EAI_AGAIN/,
    todo: ({ host }) =>
      `the name ${host} does not resolve; check how host is spelled, and its DNS record`,
  },
  {
    when: /ECONNREFUSED/,
    todo: ({ host, port }) =>
      `nothing listens on port ${port} of ${host}; start RabbitMQ, or correct host (port 5672, ` +
      "with TLS 5671)",
  },
  {
    when: /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONNECTION_TIMEOUT|CONN_TIMEOUT|timed? ?out/i,
    todo: ({ host, port, tls }) =>
      `no answer from port ${port} of ${host}; is it RabbitMQ's${
        tls ? "" : ', without TLS (else set "ssl": true)'
      }, and does a firewall let this machine in?`,
  },
  {
    when: /WRONG_VERSION_NUMBER|InvalidContentType|packet length too long|EPROTO/i,
    todo: ({ port }) =>
      `port ${port} does not speak TLS; use RabbitMQ's TLS port (5671), or set "ssl": false`,
  },
  {
    when: /ALTNAME|NotValidForName|does not match certificate/i,
    todo: ({ host }) => `the certificate is not for ${host}; set host to a name in the certificate`,
  },
  { when: /CERT_HAS_EXPIRED|certificate.*expired/i, todo: () => "renew the server's certificate" },
  {
    when: /SELF_SIGNED|UNABLE_TO_|UnknownIssuer|certificate/i,
    todo: () =>
      "the certificate's authority is not trusted; set ca_file to the authority's PEM file",
  },
  {
    when: /ECONNRESET|EPIPE|socket closed|disconnected/i,
    todo: ({ port, tls }) =>
      tls
        ? `port ${port} ended the connection before the login; does it speak TLS?`
        : `port ${port} ended the connection before the login; if it is the TLS port, set "ssl": true`,
  },
  {
    when: /Login was refused|authentication/i,
    todo: ({ username }) =>
      `there is no user ${username}, or password_file has a wrong password; set it with ` +
      `rabbitmqctl change_password ${shellWord(username)}`,
  },
  {
    when: /vhost .* not found/i,
    todo: ({ vhost }) =>
      `correct virtualhost, or create it: rabbitmqctl add_vhost ${shellWord(vhost)}`,
  },
  {
    when: /access to vhost .* refused/i,
    todo: ({ vhost, username }) =>
      `give the user rights there: sh deploy/rabbitmq/setup.sh, or rabbitmqctl set_permissions -p ` +
      `${shellWord(vhost)} ${shellWord(username)} '.*' '.*' '.*'`,
  },
  {
    when: /ACCESS_REFUSED/,
    todo: ({ username }) =>
      `the user ${username} lacks this right; sh deploy/rabbitmq/setup.sh gives each role's user its own`,
  },
  {
    when: /PRECONDITION_FAILED/,
    todo: () => "it exists with other arguments; delete it once it is empty, and start again",
  },
];

/** An error in one line, with what to do if that is known. */
export function explained(error: unknown, server: Server): string {
  const { code, message } = asFault(error);
  const rule = RULES.find(({ when }) => when.test(code) || when.test(message));
  const words = message.replaceAll(/\s+/g, " ");
  return rule === undefined ? words : `${words}; ${rule.todo(server)}`;
}

/** Every command except the roles. */

import type { Run } from "./arguments.ts";

/** One row of the table. */
export interface Command {
  /** What the command does, in one line. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly run: Run }>;
}

/** The commands, in the order people meet them. */
export const COMMANDS = {
  "demo": {
    summary: "Shows one pull request from webhook to check run, all on this machine",
    load: () => import("./demo.ts"),
  },
  "local": {
    summary: "Builds a branch as the bot would, without GitHub or a broker",
    load: () => import("./local.ts"),
  },
  "all": {
    summary: "Runs every role in one process, on the embedded broker or on RabbitMQ",
    load: () => import("./run_roles.ts"),
  },
  "check-config": {
    summary: "Validates a configuration file and the files its roles read",
    load: () => import("./check_config.ts"),
  },
  "roles": {
    summary: "Prints the table of roles",
    load: () => import("./roles.ts"),
  },
  "permissions": {
    summary: "Prints the Deno permissions a role needs under a configuration",
    load: () => import("./permissions.ts"),
  },
  "status": {
    summary: "Shows the health of a running fleet: queues, consumers, endpoints, dead letters",
    load: () => import("./status.ts"),
  },
  "dead-letters": {
    summary: "Lists, shows, retries or drops messages that could not be handled",
    load: () => import("./dead_letters.ts"),
  },
} as const satisfies Record<string, Command>;

/** Whether a word is a command's name. */
export function isCommandName(word: string): word is keyof typeof COMMANDS {
  return Object.hasOwn(COMMANDS, word);
}

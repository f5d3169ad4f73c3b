/** The files of an installation and the secrets of each role, the same for every way of deploying. */
import { type RoleName, roleOf } from "../../services/roles.ts";

/** Folders of an installation, the same for plain systemd units, NixOS and containers. */
export const LAYOUT = {
  /** Where `deploy/install.sh` puts programs, sources and packages. */
  prefix: "/opt/tickborg",
  config: "/etc/tickborg/config.json",
  /** Secrets on a host, readable only by root; units load them as credentials. */
  credentials: "/etc/tickborg/credentials",
  checkouts: "/var/cache/tickborg",
  logs: "/var/log/tickborg",
} as const;

/**
 * Names of the secrets. A configuration refers to one as `credential:<name>`, which is the file of
 * that name in `CREDENTIALS_DIRECTORY`: systemd sets it (`systemd.exec(5)`, LoadCredential), and
 * the compose file sets it to `/run/secrets`.
 */
export const CREDENTIAL = {
  broker: "rabbitmq-password",
  webhook: "webhook-secret",
  app: "github-app-key",
} as const;

/** A secret as a role sees it, and the file it comes from, relative to the folder of secrets. */
export interface Credential {
  readonly name: string;
  readonly source: string;
}

/**
 * The secrets of a role. Every role has its own broker user (`deploy/rabbitmq/setup.sh`) and finds
 * that user's password under the same name, which the common configuration uses.
 */
export function credentialsOf(name: RoleName): Credential[] {
  const role = roleOf(name);
  return [
    { name: CREDENTIAL.broker, source: `rabbitmq/${name}` },
    ...(role.section === "github_webhook_receiver"
      ? [{ name: CREDENTIAL.webhook, source: CREDENTIAL.webhook }]
      : []),
    ...(role.github ? [{ name: CREDENTIAL.app, source: CREDENTIAL.app }] : []),
  ];
}

/** Whether a role keeps clones of repositories. */
export function hasCheckouts(name: RoleName): boolean {
  return roleOf(name).needs.includes("checkout");
}

/** Whether a role keeps the log store. */
export function hasLogStore(name: RoleName): boolean {
  return name === "log-message-collector";
}

/** Whether a role starts sandboxes, which need more permissions. */
export function startsSandboxes(name: RoleName): boolean {
  return roleOf(name).programs.includes("bwrap");
}

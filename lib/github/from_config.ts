/** Makes the GitHub client from the configuration. */
import { createPrivateKey } from "node:crypto";
import type { Logger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { readSecret } from "../config/secrets.ts";
import { ConfigError } from "../common/errors.ts";
import { createGitHub } from "./client.ts";
import type { GitHub } from "./github.ts";

/** Reads the App's key and makes the client. Throws a {@link ConfigError} if the key is invalid. */
export async function createGitHubFromConfig(config: Config, log?: Logger): Promise<GitHub> {
  const app = config.github_app;
  if (!app) throw new ConfigError("Cannot use GitHub: github_app is missing");
  const apiUrl = config.github.api_url;
  const privateKey = parsePrivateKey(await readSecret(app.private_key, "github_app.private_key"));
  log?.debug("GitHub App is configured", { appId: app.app_id, apiUrl });
  return createGitHub({ apiUrl, appId: app.app_id, privateKey });
}

/**
 * Converts a private key in PEM, PKCS#1 (GitHub's format) or PKCS#8, to PKCS#8. The
 * {@link ConfigError} that it throws never contains the key.
 */
export function parsePrivateKey(pem: string): string {
  const where = "github_app.private_key";
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new ConfigError(
      `${where}: expected the App's private key in PEM, found no PRIVATE KEY block`,
    );
  }
  let key;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The parser's error may quote the key.
    throw new ConfigError(`${where}: the PRIVATE KEY block is invalid; check that it is complete`);
  }
  if (key.asymmetricKeyType !== "rsa") {
    throw new ConfigError(`${where}: expected an RSA key, found ${key.asymmetricKeyType}`);
  }
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

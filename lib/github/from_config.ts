/** Makes the GitHub client that a configuration describes. */
import { createPrivateKey } from "node:crypto";
import type { Logger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { readSecret } from "../config/secrets.ts";
import { ConfigError } from "../common/errors.ts";
import { createGitHub } from "./client.ts";
import type { GitHub } from "./github.ts";

/** Reads the App's key and makes the client. Throws a {@link ConfigError} where the key is not one. */
export async function createGitHubFromConfig(config: Config, log?: Logger): Promise<GitHub> {
  const app = config.github_app;
  if (!app) throw new ConfigError("Cannot speak to GitHub: github_app is missing");
  const apiUrl = config.github.api_url;
  const privateKey = parsePrivateKey(await readSecret(app.private_key, "github_app.private_key"));
  log?.debug("GitHub App is configured", { appId: app.app_id, apiUrl });
  return createGitHub({ apiUrl, appId: app.app_id, privateKey });
}

/**
 * A private key in PEM, PKCS#1 as GitHub gives it or PKCS#8, as PKCS#8. Throws a {@link ConfigError} that
 * holds nothing of the key.
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
    // The error of the parser may quote what it read.
    throw new ConfigError(`${where}: the PRIVATE KEY block cannot be read; is it whole?`);
  }
  if (key.asymmetricKeyType !== "rsa") {
    throw new ConfigError(`${where}: expected an RSA key, found ${key.asymmetricKeyType}`);
  }
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

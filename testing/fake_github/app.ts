/** The fake GitHub's App: its key, its installation and its tokens. */
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";

import { CONSUMED_EVENTS } from "../../lib/broker/topology.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Creates an App's key pair in GitHub's format: PKCS#1 in PEM. */
export function generateAppKey(): string {
  return generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey;
}

const ENOUGH = {
  checks: "write",
  contents: "read",
  issues: "write",
  metadata: "read",
  pull_requests: "write",
  statuses: "write",
} as const;

/** The App, its permissions and its tokens. */
export class FakeApp {
  readonly id: number;
  /** Different for each fake: auth-app shares pending requests by this id only. */
  readonly installationId = 1_000_000 + crypto.getRandomValues(new Uint32Array(1))[0]!;
  /** PEM, PKCS#1. */
  readonly privateKey: string;
  readonly #publicKey: KeyObject;
  readonly #tokens = new Map<string, number>();
  readonly #now: () => number;
  /** The permissions in the App's settings; by default those of `docs/deployment.md`. */
  permissions: Record<string, string> = { ...ENOUGH };
  /** The permissions of the installation; {@link permissions} when absent. */
  installationPermissions: Record<string, string> | undefined;
  /** Webhook events that the App subscribes to. */
  events: string[] = [...CONSUMED_EVENTS];
  /** When the installation was suspended, in ISO 8601. */
  suspendedAt: string | undefined;
  /** Seconds until a token expires; an hour at GitHub. */
  readonly tokenSeconds: number;

  constructor(options: {
    id: number;
    privateKey: string;
    tokenSeconds: number;
    now: () => number;
  }) {
    this.id = options.id;
    this.privateKey = options.privateKey;
    this.#publicKey = createPublicKey(options.privateKey);
    this.tokenSeconds = options.tokenSeconds;
    this.#now = options.now;
  }

  /** Why a JSON web token is refused, in GitHub's words; undefined if it is valid. */
  refuseJwt(authorization: string): string | undefined {
    const claims = this.#signedClaims(authorization.replace(/^bearer /i, ""));
    if (!claims) return "A JSON web token could not be decoded";
    const { iss, iat, exp } = claims;
    // The real clock, not the fake's time, because clients create their tokens with it.
    const now = Date.now() / 1_000;
    if (String(iss) !== String(this.id)) return "Integration not found";
    if (!(iat <= now + 60)) return "'Issued at' claim ('iat') must be an Integer in the past";
    if (!(exp > now - 60)) return "'Expiration time' claim ('exp') is too old";
    if (!(exp <= now + 660)) return "'Expiration time' claim ('exp') is too far in the future";
  }

  /** The claims of a token; undefined if it is not signed with the App's key. */
  #signedClaims(token: string): Json | undefined {
    const [header = "", claims = "", signature = ""] = token.split(".");
    try {
      const bytes = new TextEncoder().encode(`${header}.${claims}`);
      const signed = verify("sha256", bytes, this.#publicKey, fromBase64Url(signature));
      if (!signed || decodePart(header).alg !== "RS256") return undefined;
      return decodePart(claims);
    } catch {
      return undefined;
    }
  }

  /** Creates an installation token. */
  createToken(): { token: string; expiresAt: string } {
    const token = `ghs_${crypto.randomUUID().replaceAll("-", "")}`;
    const expiresAt = this.#now() + this.tokenSeconds * 1_000;
    this.#tokens.set(token, expiresAt);
    return { token, expiresAt: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z") };
  }

  /** Whether a request has a valid token. */
  acceptsToken(authorization: string): boolean {
    const token = authorization.replace(/^(token|bearer) /i, "");
    return (this.#tokens.get(token) ?? 0) > this.#now();
  }

  /** Revokes every token. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  /** Every token so far, so that a test can search for leaks. */
  get tokens(): string[] {
    return [...this.#tokens.keys()];
  }
}

function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

function decodePart(part: string): Json {
  return JSON.parse(new TextDecoder().decode(fromBase64Url(part)));
}

/** The App that the fake GitHub knows: its key, its installation and the tokens given out. */
import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";

import { CONSUMED_EVENTS } from "../../lib/broker/topology.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Makes an App's key pair in the form GitHub gives it: PKCS#1 in PEM. */
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

/** The App and what it has been given. */
export class FakeApp {
  readonly id: number;
  /** Another one for each fake: auth-app shares look-ups under way by this id alone. */
  readonly installationId = 1_000_000 + crypto.getRandomValues(new Uint32Array(1))[0]!;
  /** PEM, PKCS#1. */
  readonly privateKey: string;
  readonly #publicKey: KeyObject;
  readonly #tokens = new Map<string, number>();
  readonly #now: () => number;
  /** What the App's settings ask for; as `docs/deployment.md` has it unless a test changes it. */
  permissions: Record<string, string> = { ...ENOUGH };
  /** What the installation was granted; {@link permissions} when absent. */
  installationPermissions: Record<string, string> | undefined;
  /** Webhook events that the App subscribes to. */
  events: string[] = [...CONSUMED_EVENTS];
  /** ISO 8601, where somebody has suspended the installation. */
  suspendedAt: string | undefined;
  /** Seconds a token lives; GitHub gives an hour. */
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

  /** Why a JSON web token is refused, in GitHub's words; undefined where it is good. */
  refuseJwt(authorization: string): string | undefined {
    const claims = this.#signedClaims(authorization.replace(/^bearer /i, ""));
    if (!claims) return "A JSON web token could not be decoded";
    const { iss, iat, exp } = claims;
    // The real clock, whatever time the fake plays: clients make their tokens by it.
    const now = Date.now() / 1_000;
    if (String(iss) !== String(this.id)) return "Integration not found";
    if (!(iat <= now + 60)) return "'Issued at' claim ('iat') must be an Integer in the past";
    if (!(exp > now - 60)) return "'Expiration time' claim ('exp') is too old";
    if (!(exp <= now + 660)) return "'Expiration time' claim ('exp') is too far in the future";
  }

  /** The claims of a token that is signed with the App's key; undefined where it is not. */
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

  /** Gives out an installation token. */
  createToken(): { token: string; expiresAt: string } {
    const token = `ghs_${crypto.randomUUID().replaceAll("-", "")}`;
    const expiresAt = this.#now() + this.tokenSeconds * 1_000;
    this.#tokens.set(token, expiresAt);
    return { token, expiresAt: new Date(expiresAt).toISOString().replace(/\.\d+Z$/, "Z") };
  }

  /** Whether a request carries a token that is still good. */
  acceptsToken(authorization: string): boolean {
    const token = authorization.replace(/^(token|bearer) /i, "");
    return (this.#tokens.get(token) ?? 0) > this.#now();
  }

  /** Makes every token that was given out useless, as a revocation does. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  /** Every token given out, so that a test can look for them where they must not be. */
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

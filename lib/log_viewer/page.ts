/** The log viewer as one self-contained page, with a policy that allows only its own code. */
import css from "./page.css" with { type: "text" };
import html from "./page.html" with { type: "text" };
import logText from "./log_text.js" with { type: "text" };
import main from "./page.js" with { type: "text" };
import words from "./words.js" with { type: "text" };

/** The modules as one script; their names must be unique. */
const script = [logText, words, main].join("\n")
  .replaceAll(/^import .* from "\.\/.*";$/gm, "").replaceAll(/^export /gm, "");

/** The page and its Content-Security-Policy. */
export interface Page {
  readonly html: string;
  readonly policy: string;
}

export async function viewerPage(): Promise<Page> {
  const directives = [
    "default-src 'none'",
    `script-src ${await hashOf(script)}`,
    `style-src ${await hashOf(css)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  return {
    html: html
      .replace("<style></style>", () => `<style>${css}</style>`)
      .replace("<script></script>", () => `<script>${script}</script>`),
    policy: directives.join("; "),
  };
}

/** A source expression that allows exactly this text (https://www.w3.org/TR/CSP3/#grammardef-hash-source). */
async function hashOf(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `'sha256-${new Uint8Array(hash).toBase64()}'`;
}

/** Recognises secrets in texts and removes them. */

/** Newlines may be escaped, as in JSON; a block that was cut has no end. */
const PEM =
  /-----BEGIN [A-Z0-9 ]{1,60}-----(?:[^"']*?-----END [A-Z0-9 ]{1,60}-----|(?:[A-Za-z0-9+/=\s]|\\[rn])*)/g;
/** GitHub's token formats, and the JSON web tokens that the App signs. */
const TOKENS = [
  /\bgh[a-z]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_\w{16,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/g,
];
/** User and password, or only a token, before the host of an address; `git@` is no secret. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)(?!git@)[^\s/?#"'@]+(?:@[^\s/?#"'@]+)*@/gi;

/** The same without a scheme, as a whole text. */
const LOGIN = /^[^\s/:@]+:[^\s@]+@/;

/** Replaces a secret. */
const HIDDEN = "[hidden]";

/** Removes recognisable private keys, tokens, and passwords in addresses. */
export function redacted(text: string): string {
  const rest = TOKENS.reduce((left, token) => left.replaceAll(token, HIDDEN), text);
  return rest.replaceAll(PEM, HIDDEN).replaceAll(USER_INFO, `$1${HIDDEN}@`);
}

/** The kind of secret that a text certainly contains; undefined if it is uncertain. */
export function secretIn(text: string): string | undefined {
  if (text.includes("-----BEGIN ")) return "a key in PEM";
  if (TOKENS.some((token) => text.search(token) >= 0)) return "a token";
  if (text.search(USER_INFO) >= 0 || LOGIN.test(text)) return "an address with a password";
  return undefined;
}

/**
 * Describes a text in place of a file name; undefined for a file name. A long relative name of
 * mixed letters and digits counts as a secret: the error says how to name such a file.
 */
export function secretInsteadOfFile(text: string): string | undefined {
  const certain = secretIn(text);
  if (certain !== undefined) return certain;
  if (/\p{Cc}/u.test(text)) return "several lines";
  if (text.split(/[/\\]/).some((part) => part.length > 255)) {
    return "a text longer than file names are";
  }
  const name = text.replace(/^credential:/, "");
  if (/^([/\\.~]|[A-Za-z]:[/\\])/.test(name)) return undefined;
  return looksRandom(name) ? "a long random text" : undefined;
}

/** Hexadecimal or base64 like that of secret generators. */
function looksRandom(text: string): boolean {
  if (/^[0-9a-f]{20,}$/i.test(text)) return true;
  if (!/^[A-Za-z0-9+/_=-]{20,}$/.test(text)) return false;
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/].filter((letters) => letters.test(text)).length;
  const longest = Math.max(...text.split(/[/_=+-]/).map((part) => part.length));
  return classes === 3 && longest >= 12;
}

/** Whether an error may show a missing file's name: it looks like one, not like a secret. */
export function looksLikeFile(text: string): boolean {
  if (secretInsteadOfFile(text) !== undefined) return false;
  const name = text.replace(/^credential:/, "");
  if (name !== text) return /^[\w.-]+$/.test(name);
  if (!/^([A-Za-z]:)?[\w ./\\~-]+$/.test(name)) return false;
  // Base64 may begin with a slash, and holds others.
  if (/^([A-Za-z]:)?[/\\]/.test(name)) {
    return /^([A-Za-z]:)?[/\\][A-Za-z][a-z]{1,15}[/\\]/.test(name);
  }
  return /^[.~]{1,2}[/\\]/.test(name) || /^[a-z0-9_.-]+([/\\][a-z0-9_.-]+)+$/.test(name) ||
    /\.(pem|key|txt|json|crt|secret)$/.test(name);
}

/** Whether the value of a key may be a secret, by the key's name. */
export function isSecretKey(key: string): boolean {
  return /secret|passw|token|private_?key|credential|passphrase/i.test(key);
}

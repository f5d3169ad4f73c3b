/** Advice for GitHub's error messages. Pure. */

/** What to do about a refusal. */
export interface Advice {
  readonly todo: string;
  /** Whether GitHub does not know the App or its key, so every request fails. */
  readonly unknownApp: boolean;
}

interface Rule {
  readonly statuses: readonly number[];
  readonly words: RegExp;
  readonly todo: string;
  readonly unknownApp?: boolean;
}

const RULES: readonly Rule[] = [
  {
    statuses: [401],
    words: /JSON web token could not be decoded/i,
    todo:
      "github_app.private_key is not a key of the App github_app.app_id: generate one in the App's " +
      "settings (Private keys) and put it into that file",
    unknownApp: true,
  },
  {
    statuses: [401],
    words: /'(Issued at|Expiration time)' claim/i,
    todo: "this machine's clock is wrong: set it with NTP",
    unknownApp: true,
  },
  {
    statuses: [401, 404],
    words: /Integration (not found|must generate a public key)/i,
    todo:
      "github_app.app_id is not an App on the server github.api_url: use the App ID and a private key " +
      "from the App's settings (General)",
    unknownApp: true,
  },
  {
    statuses: [403],
    words: /not accessible by integration/i,
    todo: "the App lacks a permission: `tickborg check-config --online` names it",
  },
  {
    statuses: [403],
    words: /suspended/i,
    todo:
      "the App's installation is suspended: unsuspend it in the settings of the repository's owner",
  },
  {
    statuses: [403],
    words: /IP allow list/i,
    todo: "allow this machine's address in the owner's IP allow list",
  },
];

/** What to do about GitHub's answer; undefined if there is no more to say than GitHub does. */
export function adviceFor(status: number, words: string): Advice | undefined {
  const rule = RULES.find((rule) => rule.statuses.includes(status) && rule.words.test(words));
  return rule && { todo: rule.todo, unknownApp: rule.unknownApp ?? false };
}

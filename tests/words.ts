/** Words that our English does without, in documents, comments and messages, and what to write instead. */

/** One rule of plain English. */
interface Rule {
  /** What is not written: whole words, in any case; a space stands for any white space. */
  readonly words: string;
  /** What is written instead. */
  readonly instead: string;
  readonly why: "archaic" | "ambiguous" | "indirect" | "wordy";
}

/** Every rule. `words` is the inside of a regular expression. */
export const RULES: readonly Rule[] = [
  { words: "nobody", instead: "no one", why: "archaic" },
  { words: "anew", instead: "again", why: "archaic" },
  { words: "besides?", instead: "next to, in addition to, also", why: "archaic" },
  { words: "upon", instead: "on", why: "archaic" },
  { words: "amongst", instead: "among", why: "archaic" },
  { words: "whilst", instead: "while", why: "archaic" },
  { words: "thus|hence", instead: "so", why: "archaic" },
  { words: "lest", instead: "so as not to", why: "archaic" },
  { words: "shall", instead: "must, will", why: "archaic" },
  { words: "(here|there|where)(by|of|in|upon|with|to|from)", instead: "name it", why: "archaic" },
  { words: "whoever|whomever", instead: "anyone who, the one who", why: "archaic" },
  { words: "for ever", instead: "forever", why: "archaic" },
  { words: "(stands?|stood) (in|on|at|under|there)", instead: "is in", why: "archaic" },
  { words: "there (stand|lie)s?", instead: "there is", why: "archaic" },
  { words: "(is|are|was|were) to be", instead: "must be, will be", why: "indirect" },
  { words: "of use", instead: "useful", why: "archaic" },
  { words: "as far as", instead: "if, up to", why: "wordy" },
  { words: "in good order", instead: "in order, cleanly", why: "archaic" },
  { words: "for good", instead: "permanently", why: "ambiguous" },
  { words: "save for|but for", instead: "except", why: "archaic" },
  { words: "(?<!\\b(?:left|leaves?)\\b[^.;]*)alone", instead: "only, by itself", why: "ambiguous" },
  { words: "at once", instead: "immediately, at the same time", why: "ambiguous" },
  { words: "in vain", instead: "without success", why: "archaic" },
  {
    words: "forthwith|henceforth|notwithstanding",
    instead: "now, from now on, although",
    why: "archaic",
  },
  { words: "mend(s|ed|ing)?", instead: "fix, repair", why: "archaic" },
  { words: "owing to|by means of", instead: "because of, with", why: "wordy" },
  { words: "in order to", instead: "to", why: "wordy" },
  { words: "honou?red", instead: "respected", why: "archaic" },
  { words: "misspelt", instead: "misspelled", why: "archaic" },
];

const SEARCHES = RULES.map((rule) => ({
  ...rule,
  search: new RegExp(`\\b(?:${rule.words.replaceAll(" ", "\\s+")})\\b`, "gi"),
}));

/**
 * A line for each such word of a text, with its place and what to write. Code in backquotes, fenced code and
 * addresses are left out.
 */
export function plainEnglishMistakes(text: string): string[] {
  const blank = (code: string) => code.replaceAll(/[^\n]/g, "_");
  const prose = text.replaceAll(/^ *```[^]*?^ *```/gm, blank)
    .replaceAll(/`[^`]*`|\]\([^)]*\)|https?:\S+/g, blank);
  return SEARCHES.flatMap(({ search, instead, why }) =>
    [...prose.matchAll(search)].map(({ 0: found, index }) => {
      const line = prose.slice(0, index).split("\n").length;
      return `line ${line}: "${found.replaceAll(/\s+/g, " ")}" is ${why}; write: ${instead}`;
    })
  );
}

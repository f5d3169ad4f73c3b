/** The English in source files: comments, strings and the text of pages. */

type Range = readonly [start: number, end: number];

/** Comments, and strings, of the files that Deno does not parse. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  sh: /(?<=^|\s)#.*$|"[^"\n]*"/gm,
  css: /\/\*[^]*?\*\//g,
  html: /<!--[^]*?-->|(?<=>)[^<]+|(?<==)"[^"]* [^"]*"/g,
};

/** A source file with everything but its English replaced by `·`; lines stay where they are. */
export function proseOf(path: string, text: string): string {
  const pattern = PATTERNS[path.slice(path.lastIndexOf(".") + 1)];
  const ranges = pattern
    ? [...text.matchAll(pattern)].map(({ index, 0: found }): Range => [index, index + found.length])
    : scriptRanges(path, text);
  let at = 0;
  let prose = "";
  for (const [start, end] of ranges.toSorted(([one], [other]) => one - other)) {
    prose += blank(text.slice(at, start)) + words(text.slice(start, end));
    at = end;
  }
  return prose + blank(text.slice(at));
}

/** Comments, and strings of more than one word, of TypeScript or JavaScript. */
function scriptRanges(path: string, text: string): Range[] {
  const rule: Deno.lint.Rule = {
    create: (context) => ({
      Program: () => {
        for (const node of context.sourceCode.getAllComments()) {
          context.report({ range: node.range, message: "" });
        }
      },
      Literal: (node) => {
        if (typeof node.value === "string" && node.value.includes(" ")) {
          context.report({ node, message: "" });
        }
      },
      TemplateElement: (node) => {
        if (node.raw.includes(" ")) context.report({ node, message: "" });
      },
    }),
  };
  return Deno.lint.runPlugin({ name: "prose", rules: { rule } }, path, text)
    .map(({ range }): Range => [range[0]!, range[1]!]);
}

/** A comment or string without its marks and without code in backquotes. */
function words(text: string): string {
  return text.replaceAll(/`[^`]*`/g, blank).replaceAll("`", "·")
    .replaceAll(/^\s*(\/\/|\/?\*+\/?|#)/gm, (mark) => mark.replaceAll(/[^\n]/g, " "));
}

function blank(code: string): string {
  return code.replaceAll(/\S/g, "·");
}

/** The error formats of build tools, line by line. Pure. */

/**
 * How likely a line is the cause of a failure: an error with its place (0), an error by its words
 * or a test's name (1), possibly harmless (2), or only a repetition of an earlier failure (3).
 */
export type Rank = 0 | 1 | 2 | 3;

/** What the lines after an error may add; see `first_error.ts`. */
export type Rest =
  | "arrow"
  | "message"
  | "paragraph"
  | "traceback"
  | "summary"
  | "python-place";

/** An error read from one line. */
export interface Reading {
  readonly rank: Rank;
  readonly message: string;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  readonly rest?: Rest | undefined;
}

/** An error format, with the groups `message`, `file`, `line`, `column` and `test` (a test's name). */
interface Form {
  readonly rank: Rank;
  readonly pattern: RegExp;
  readonly rest?: Rest;
}

/** A file name, also with a Windows drive, without characters that would match prose. */
const FILE = String.raw`(?<file>(?:[A-Za-z]:)?[^\s:"'()][^:"'()]{0,300}?)`;

function form(rank: Rank, pattern: RegExp, rest?: Rest): Form {
  return { rank, pattern, ...(rest && { rest }) };
}

/** Repetitions of other errors: used only if nothing else is found. */
const REPEATS: readonly Form[] = [
  form(3, /^\S*make(?:\[\d+\])?: \*\*\* (?<message>\[.*\] .*)$/),
  form(3, /^(?<message>FAILED: .*)$/),
  form(
    3,
    /^(?:[\w.+/-]+: )?(?:fatal )?error: (?<message>(?:could not compile|aborting due to|test failed, to rerun|ld returned|linker command failed|build failed|\d+ targets? failed|subcommand failed|recipe for target|command .* failed with exit).*)$/i,
  ),
  form(3, /^\S+: (?<message>all warnings being treated as errors)$/),
  form(
    3,
    /^(?<message>(?:BUILD FAILED|Build FAILED|The following tests FAILED|FAILURE: Build failed).*)$/,
  ),
  form(3, /^(?<message>autoreconf: error: \S+ failed with exit status.*)$/),
];

/** Errors with a place, and unmistakable ones. */
const CERTAIN: readonly Form[] = [
  form(
    0,
    new RegExp(String.raw`^${FILE}[:(](?<line>\d{1,9})\)?: (?:Failure|error:)$`),
    "paragraph",
  ),
  // GCC, Clang, javac, Meson, GNU as, autoconf; TypeScript with a dash.
  form(
    0,
    new RegExp(
      String.raw`^${FILE}:(?<line>\d{1,9})(?:[:.](?<column>\d{1,9}))?(?:-[\d.:]{1,20})?(?::| -) ` +
        String
          .raw`(?:fatal |internal compiler )?(?:error|Error|ERROR)(?: [A-Z]+\d+)?: (?<message>.+)$`,
    ),
  ),
  // MSVC, MSBuild, tsc.
  form(
    0,
    new RegExp(
      String.raw`^\s{0,20}${FILE}\((?<line>\d{1,9})(?:,(?<column>\d{1,9}))?[\d,-]{0,30}\)\s?: ` +
        String.raw`(?:fatal )?error (?<message>[A-Z]{1,9}\d{1,9}: .+?)(?: \[[^\]]*\])?$`,
    ),
  ),
  form(
    0,
    /^\s{0,20}(?:[^\s:()][^:()]{0,300} : )(?:fatal )?error (?<message>[A-Z]{1,9}\d{1,9}: .+?)(?: \[[^\]]*\])?$/,
  ),
  form(
    0,
    /^CMake Error(?: at (?<file>[^:()]{1,300}):(?<line>\d{1,9})(?: \([^)]*\))?| in (?:[^:()]{1,300}))?:\s?(?<message>.*)$/,
    "paragraph",
  ),
  form(0, /^error\[[A-Z]+\d+\]: (?<message>.+)$/, "arrow"),
  form(0, /^configure: error: (?!in [`'])(?<message>.+)$/),
  form(
    0,
    new RegExp(
      String.raw`^(?:\S*\bld(?:\.\w+)?: )?${FILE}:(?:(?<line>\d{1,9})|\([^)]{1,200}\)): ` +
        "(?<message>(?:undefined reference to|multiple definition of|more undefined references to) .+)$",
    ),
  ),
  form(
    0,
    /^(?:\S*\bld(?:[.\w]*)?): (?:error: )?(?:[^\s:]{1,300}: )?(?<message>(?:cannot find|undefined (?:reference|symbol)|unable to find|multiple definition|duplicate symbol|library not found|relocation) ?.+)$/,
    "arrow",
  ),
  form(0, /^(?<message>Undefined symbols for architecture .+):$/, "paragraph"),
  form(
    0,
    /^\S*make(?:\[\d+\])?: \*\*\* (?!\[|Waiting for|Deleting)(?<message>.+?)\.?(?: {1,2}Stop\.)?$/,
  ),
  form(
    0,
    new RegExp(String.raw`^${FILE}:(?<line>\d{1,9}): \*\*\* (?<message>.+?)\.?(?: {1,2}Stop\.)?$`),
  ),
  form(
    0,
    /^e: (?:file:\/\/)?(?<file>\/?[^\s:()]{1,300}):(?: \()?(?<line>\d{1,9})(?:, |:)(?<column>\d{1,9})\)?:? (?<message>.+)$/,
  ),
  form(
    0,
    /^\[ERROR\] (?<file>[^:[\]]{1,300}):\[(?<line>\d{1,9}),(?<column>\d{1,9})\] (?<message>.+)$/,
  ),
  form(0, /^\s{0,8}Traceback \(most recent call last\):/, "traceback"),
  form(0, /^ {2}File "(?<file>[^"]{1,300})", line (?<line>\d{1,9})$/, "traceback"),
  form(0, /^E {3,8}(?<message>\S.*)$/, "python-place"),
  form(
    0,
    /^(?:[^\s:]{1,200}: )?(?<file>[^\s:]{1,300}):(?<line>\d{1,9}): (?:.{1,300}?: )?(?<message>Assertion [`'].*' failed)\.?$/,
  ),
  form(
    0,
    /^(?<message>Assertion failed: .*), file (?<file>[^,]{1,300}), line (?<line>\d{1,9})\.?$/,
  ),
  form(
    0,
    /^thread '[^']{0,300}'(?: \(\d+\))? panicked at (?:'(?<message>.*)', )?(?<file>[^\s:']{1,300}):(?<line>\d{1,9}):(?<column>\d{1,9}):?$/,
    "message",
  ),
  form(
    0,
    /^(?:==\d+==\s?)?(?:ERROR|WARNING): (?<message>\w+Sanitizer: .+?)(?: on (?:unknown )?address.*| \(pid=\d+\))?$/,
    "summary",
  ),
  form(
    0,
    new RegExp(
      String.raw`^${FILE}:(?<line>\d{1,9}):(?<column>\d{1,9}): (?<message>runtime error: .+)$`,
    ),
  ),
  form(0, /^(?<file>[^\s:]{1,300}\.go):(?<line>\d{1,9}):(?<column>\d{1,9}): (?<message>.+)$/),
];

/** Errors without a place, and failed tests. */
const LIKELY: readonly Form[] = [
  form(1, /^\s*\d+\/\d+ Test +#\d+: (?<test>\S{1,300}) \.*[\s\w]{0,60}\*\*\*/),
  form(
    1,
    /^\s*\d+\/\d+ (?<test>\S(?:.{0,300}?\S)?)\s{1,200}(?:FAIL|ERROR|TIMEOUT|UNEXPECTEDPASS)\s+[\d.]+\s?s\b/,
  ),
  form(1, /^\[ {2}FAILED {2}\] (?<test>[^\s,]+\.[^\s,]+)/),
  form(1, /^FAILED (?<test>\S+::\S+)/),
  form(1, /^(?:FAIL|ERROR): (?<test>[\w./+-]+(?: \([\w.]+\))?)$/),
  form(1, /^\s*not ok \d+(?: -)? (?<test>(?!.*# (?:TODO|SKIP)).+)$/i),
  form(1, /^test (?<test>\S.{0,300}?) \.\.\. FAILED$/),
  form(1, /^\s*--- FAIL: (?<test>\S+)/),
  form(1, /^(?<test>[\w.$]+ > \S.{0,300}) FAILED$/),
  form(
    1,
    /^(?:.{0,300}?: )??(?<message>(?:virtual memory exhausted|out of memory|java\.lang\.OutOfMemoryError|No space left on device|Cannot allocate memory)\b.*)$/i,
  ),
  form(1, /^Exception in thread "[^"]{0,200}" (?<message>.+)$/),
  form(1, /^(?<message>panic: .+)$/),
  form(
    1,
    /^(?:\[ERROR\]|(?:[\w.+/-]{1,100}: )?(?:fatal |internal compiler |Uncaught )?(?:error|Error|ERROR)\b(?: [A-Z]+\d+)?:) (?<message>.+)$/,
    "arrow",
  ),
];

/** Possibly harmless: scripts also search for optional programs. */
const HINTS: readonly Form[] = [
  form(
    2,
    /^(?:\S*\/)?(?:ba|da|a|k|z)?sh: (?:(?:line )?\d+: )?(?<message>.+: (?:command not found|not found|Permission denied|No such file or directory|bad interpreter.*))$/,
  ),
  form(
    2,
    /^(?<file>[^\s:]{1,300}): (?:line )?(?<line>\d{1,9}): (?<message>.+: (?:command not found|not found|Permission denied|No such file or directory|Syntax error.*))$/,
  ),
  form(2, /^(?<message>[\w./+-]{1,100}: .+: (?:No such file or directory|Permission denied))$/),
  form(
    2,
    /^(?:.{0,300}: (?:(?:line )?\d+:? )?(?:\d+ )?)?(?<message>(?:Killed|Segmentation fault|Bus error|Illegal instruction|Aborted)(?: \(core dumped\))?)(?:\s{2,}.*)?$/,
  ),
  form(2, /^\* What went wrong:$/, "message"),
  form(2, /^(?:npm (?:ERR!|error)) (?!code |errno |A complete log)(?<message>\S.+)$/),
  form(2, /^fatal: (?<message>.+)$/),
  form(2, /^terminate called (?<message>after throwing .+)$/),
];

const FORMS: readonly Form[] = [...REPEATS, ...CERTAIN, ...LIKELY, ...HINTS];

/** Several small patterns, with which V8 is many times faster than with one large one. */
const SUSPECTS = [
  /[Ee]rror|ERR|[Ff]ail|FAIL|[Uu]ndefined|[Cc]annot/,
  /not found|not ok|No such|denied|panic/,
  /Traceback| {2}File "|Killed|fatal|[Aa]ssert/,
  /\*\*\*|emory|No space|TIMEOUT|fault|Aborted|multiple def|duplicate sym/,
  /relocation|went wrong|terminate called|Illegal|Sanitizer|E {3}|e: [f/]|\.go:|UNEXPECTED|ing directory/,
];

/** A fast check whether a text may contain an error, which rules out most lines. */
export function isSuspect(text: string): boolean {
  return SUSPECTS.some((pattern) => pattern.test(text));
}

/** The error in a line without escape sequences; undefined if there is none. */
export function readError(line: string): Reading | undefined {
  for (const { rank, pattern, rest } of FORMS) {
    const match = pattern.exec(line);
    if (match === null) continue;
    const groups = match.groups ?? {};
    const { file, test } = groups;
    const message = test === undefined ? groups.message ?? "" : `test ${test} failed`;
    return { rank, message, file, line: number(groups.line), column: number(groups.column), rest };
  }
  return undefined;
}

function number(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits);
}

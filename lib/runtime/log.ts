/** Structured logging to standard error, as text or as JSON lines. */
import {
  configure,
  getAnsiColorFormatter,
  getLogger,
  getTextFormatter,
  jsonLinesFormatter,
} from "@logtape/logtape";
import type { Logger, LogLevel, LogRecord, Sink } from "@logtape/logtape";
import { redacted } from "../text/redacted.ts";

/** A filter such as `info,tickborg.builder=debug`, parsed. */
export interface LogFilter {
  readonly lowest: LogLevel | null;
  readonly categories: readonly { readonly category: string[]; readonly level: LogLevel | null }[];
}

/** Levels by every name in our filters or in `RUST_LOG`. */
const LEVELS: Readonly<Record<string, LogLevel | null>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warning",
  warning: "warning",
  error: "error",
  fatal: "fatal",
  off: null,
};

/**
 * Parses a comma-separated filter of levels and `category=level`. For values of `RUST_LOG`, `::` in
 * a category counts as a dot. Returns unknown parts as `ignored`.
 */
export function parseLogFilter(text: string): LogFilter & { ignored: string[] } {
  let lowest: LogLevel | null = "info";
  const categories: { category: string[]; level: LogLevel | null }[] = [];
  const ignored: string[] = [];
  for (const directive of text.split(",").map((part) => part.trim()).filter(Boolean)) {
    const [name, level] = directive.split("=").map((part) => part.trim()) as [string, string?];
    if (level === undefined && name.toLowerCase() in LEVELS) {
      lowest = LEVELS[name.toLowerCase()]!;
    } else if (level !== undefined && level.toLowerCase() in LEVELS && /^[\w.:-]+$/.test(name)) {
      const category = name.replaceAll("::", ".").replaceAll("_", "-").split(".");
      categories.push({ category, level: LEVELS[level.toLowerCase()]! });
    } else {
      ignored.push(directive);
    }
  }
  return { lowest, categories, ignored };
}

const encoder = new TextEncoder();

/** Categories as in the filter: `tickborg.builder`. */
const style = { category: "." };

const formatForPeople = Deno.stderr.isTerminal() && !Deno.noColor
  ? getAnsiColorFormatter(style)
  : getTextFormatter(style);

/** A record as a line, with its defined fields after the message. */
export function formatWithFields(record: LogRecord): string {
  const line = formatForPeople(record).trimEnd();
  const fields = Object.entries(record.properties)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${shown(value)}`);
  return `${line}${fields.join("")}\n`;
}

function shown(value: unknown): string {
  if (typeof value === "string") return /^[\w./:@#-]+$/.test(value) ? value : JSON.stringify(value);
  if (value instanceof Error) return JSON.stringify(value.stack ?? value.message);
  return JSON.stringify(value) ?? String(value);
}

/** Writes whole lines without secrets to standard error, even after short writes. */
function stderrSink(format: (record: LogRecord) => string): Sink {
  return (record) => {
    let bytes = encoder.encode(redacted(format(record)));
    while (bytes.length > 0) bytes = bytes.subarray(Deno.stderr.writeSync(bytes));
  };
}

/** Settings from our variables or the Rust bot's (`docs/deployment.md`, "Environment variables"). */
export function logSettings(env: (name: string) => string | undefined): {
  filter: string;
  json: boolean;
} {
  return {
    filter: env("TICKBORG_LOG") ?? env("RUST_LOG") ?? "info",
    json: (env("TICKBORG_LOG_JSON") ?? env("RUST_LOG_JSON")) === "1",
  };
}

/** Sets up logging for the process. The last call counts. */
export async function setUpLogging(settings: { filter: string; json: boolean }): Promise<void> {
  const filter = parseLogFilter(settings.filter);
  const sink = stderrSink(settings.json ? jsonLinesFormatter : formatWithFields);
  await configure({
    reset: true,
    sinks: { stderr: sink },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["stderr"] },
      { category: [], lowestLevel: filter.lowest, sinks: ["stderr"] },
      ...filter.categories.filter(({ category }) => category.join(".") !== "").map((
        { category, level },
      ) => ({
        category,
        lowestLevel: level,
        sinks: ["stderr"],
        parentSinks: "override" as const,
      })),
    ],
  });
  if (filter.ignored.length > 0) {
    getLogger(["tickborg"]).warn("Ignoring invalid parts of the log filter", {
      ignored: filter.ignored,
    });
  }
}

/** The logger of a role or a part of one: `tickborg.<name>`. */
export function roleLogger(name: string): Logger {
  return getLogger(["tickborg", ...name.split(".")]);
}

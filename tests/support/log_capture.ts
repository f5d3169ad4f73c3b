/** What the code under test logged. */
import { configure, getLogger, type Logger, type LogRecord } from "@logtape/logtape";

/** Records of a logger, newest last. */
export interface LogCapture {
  readonly log: Logger;
  readonly records: LogRecord[];
  /** Every record as one text: message, level and fields. */
  text(): string;
}

/** Captures everything logged under `tickborg.test`, and lets other categories go. */
export async function captureLog(): Promise<LogCapture> {
  const records: LogRecord[] = [];
  await configure({
    reset: true,
    sinks: { memory: (record) => records.push(record) },
    loggers: [
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
      { category: ["tickborg", "test"], lowestLevel: "debug", sinks: ["memory"] },
    ],
  });
  return {
    log: getLogger(["tickborg", "test"]),
    records,
    text: () =>
      records.map(({ level, rawMessage, properties }) =>
        `${level} ${rawMessage} ${
          JSON.stringify(
            properties,
            (_, value) => value instanceof Error ? `${value.stack}` : value,
          )
        }`
      ).join("\n"),
  };
}

/**
 * Event counters with the Rust bot's names (`docs/protocol.md`, "Messages"): `tickborg_` and the
 * event in snake case, labelled with the sender and, for some, the branch or the event.
 */
import { Counter, type Registry } from "prom-client";
import * as z from "zod";
import type { StatsEvent } from "../messages/event.ts";

/** Each event's meaning, and its label in addition to the sender. */
const EVENTS = {
  "stat-collector-legacy-event": { help: "Events received in the old bare form", label: "event" },
  "stat-collector-bogus-event": { help: "Unknown events" },
  "job-received": { help: "Messages taken from a queue" },
  "job-decode-success": { help: "Messages that could be read" },
  "job-decode-failure": { help: "Messages that could not be read" },
  "issue-already-closed": { help: "Pull requests that were closed before their evaluation" },
  "issue-fetch-failed": { help: "Pull requests that could not be fetched from GitHub" },
  "task-evaluation-check-complete": { help: "Completed evaluations" },
  "target-branch-fails-evaluation": {
    help: "Evaluations that failed on the target branch itself",
    label: "branch",
  },
  "evaluation-duration": { help: "Seconds spent on evaluations", label: "branch" },
  "evaluation-duration-count": { help: "Evaluations whose seconds were counted", label: "branch" },
  "webhook-unserved": {
    help: "Webhooks of repositories that runner.repos does not name",
    label: "repository",
  },
} as const satisfies Record<string, { help: string; label?: "branch" | "event" | "repository" }>;
type EventName = keyof typeof EVENTS;

/** Distinct values per label; more are counted as `other`. */
const MAX_VALUES = 200;

export interface Count {
  readonly event: EventName;
  readonly label?: string;
  readonly by: number;
}

const bogus: Count = { event: "stat-collector-bogus-event", by: 1 };
const Duration = z.tuple([z.string(), z.number().min(0).max(10_000_000)]);
const OneEvent = z.record(z.string(), z.unknown()).transform((fields) => Object.entries(fields));

/** Pure: the count for an event. An unknown one counts as bogus. */
export function countOf(event: StatsEvent): Count {
  if (typeof event === "string") {
    return isEvent(event) && !("label" in EVENTS[event]) ? { event, by: 1 } : bogus;
  }
  const entries = OneEvent.parse(event);
  const [name, value] = entries[0] ?? ["", undefined];
  if (entries.length !== 1 || !isEvent(name) || !("label" in EVENTS[name])) return bogus;
  if (name === "evaluation-duration") {
    const duration = Duration.safeParse(value);
    if (!duration.success) return bogus;
    return { event: name, label: duration.data[0], by: duration.data[1] };
  }
  return typeof value === "string" ? { event: name, label: value, by: 1 } : bogus;
}

function isEvent(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}

/** The Prometheus name of an event: `job-received` is `tickborg_job_received`. */
export function metricName(event: string): string {
  return `tickborg_${event.replaceAll("-", "_")}`;
}

/** Counts events in a registry, with a limited number of label values. */
export class EventCounters {
  readonly #counters: Record<string, Counter>;
  readonly #values = new Map<string, Set<string>>();

  constructor(registry: Registry) {
    this.#counters = Object.fromEntries(
      Object.entries<{ help: string; label?: string }>(EVENTS).map(([event, { help, label }]) => [
        event,
        new Counter({
          name: metricName(event),
          help,
          labelNames: ["instance", ...(label === undefined ? [] : [label])],
          registers: [registry],
        }),
      ]),
    );
  }

  /** Counts events of a sender. */
  record(sender: string, events: readonly StatsEvent[]): void {
    for (const count of events.map(countOf)) {
      const labels: Record<string, string> = { instance: this.#bounded("instance", sender) };
      const definition = EVENTS[count.event];
      if ("label" in definition) {
        labels[definition.label] = this.#bounded(definition.label, count.label ?? "");
      }
      this.#counters[count.event]!.inc(labels, count.by);
    }
  }

  #bounded(label: string, value: string): string {
    const short = value.slice(0, 100).toWellFormed();
    const values = this.#values.get(label) ?? new Set();
    this.#values.set(label, values);
    if (values.has(short)) return short;
    if (values.size >= MAX_VALUES) return "other";
    values.add(short);
    return short;
  }
}

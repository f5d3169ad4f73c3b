/** Prometheus's alert rules, made from the health rules that `tickborg status` uses (`lib/monitoring/health.ts`). */
import { QUEUE_RULES, type QueueRule } from "../../lib/monitoring/health.ts";
import type { RoleName } from "../../services/roles.ts";
import { QUEUE } from "../../lib/broker/topology.ts";

/** One alert; several of one name are told apart by their labels. */
export interface Alert {
  readonly alert: string;
  /** PromQL; the alert fires while it gives anything. */
  readonly expr: string;
  /** How long it must hold. */
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** `build-inputs-<system>` of whichever system. */
const BUILD_QUEUES = "build-inputs-.+";

function isBuildQueue({ role }: QueueRule): boolean {
  return role === "builder";
}

function selector(rule: QueueRule): string {
  return isBuildQueue(rule) ? `queue=~"${BUILD_QUEUES}"` : `queue="${rule.queue}"`;
}

/** One rule for the queues of all builders, which are alike, and one for each other queue with a consumer. */
function distinctRules(): QueueRule[] {
  const builder = QUEUE_RULES.find(isBuildQueue)!;
  return [...QUEUE_RULES.filter((rule) => rule.role && !isBuildQueue(rule)), builder];
}

/** Labels tell rules of one name apart, as Prometheus wants it; builders' queues keep the names they have. */
function labelsOf(rule: QueueRule): Alert["labels"] {
  return {
    severity: "critical",
    role: rule.role!,
    ...(isBuildQueue(rule) ? {} : { queue: rule.queue }),
  };
}

function depth(rule: QueueRule): Alert {
  return {
    alert: "TickborgQueueDeep",
    expr: `tickborg_queue_messages{${selector(rule)}} >= ${rule.below}`,
    for: "5m",
    labels: labelsOf(rule),
    summary: `{{ $value }} messages wait in {{ $labels.queue }}: ${rule.role} is slow or down`,
  };
}

/** A builder's queue needs a consumer only if it had one within the week, or if somebody waits there. */
function consumers(rule: QueueRule): Alert {
  const none = `tickborg_queue_consumers{${selector(rule)}} < 1`;
  return {
    alert: "TickborgNoConsumers",
    expr: isBuildQueue(rule)
      ? `${none} and (max_over_time(tickborg_queue_consumers[7d]) > 0 or tickborg_queue_messages > 0)`
      : none,
    for: isBuildQueue(rule) ? "10m" : "3m",
    labels: labelsOf(rule),
    summary: `Nobody consumes {{ $labels.queue }}: ${rule.role} is down`,
  };
}

function down(job: string, role: RoleName, what: string): Alert {
  return {
    alert: "TickborgDown",
    expr: `up{job="${job}"} == 0 or absent(up{job="${job}"})`,
    for: "2m",
    labels: { severity: "critical", role },
    summary: what,
  };
}

/** What is wrong while every role runs. */
function faults(): Alert[] {
  const unknown = QUEUE_RULES.find(({ queue }) => queue === QUEUE.unknownEvents)!;
  return [
    {
      alert: "TickborgBrokerAway",
      expr: "tickborg_broker_connected == 0",
      for: "2m",
      labels: { severity: "critical" },
      summary: "{{ $labels.job }} has no connection to RabbitMQ",
    },
    {
      alert: "TickborgDeadLetters",
      expr: "tickborg_dead_letters > 0",
      for: "1m",
      labels: { severity: "warning" },
      summary: "{{ $value }} messages could not be handled: see tickborg dead-letters list",
    },
    {
      alert: "TickborgUnknownEvents",
      expr: `tickborg_queue_messages{queue="${unknown.queue}"} >= ${unknown.below}`,
      for: "5m",
      labels: { severity: "warning" },
      summary:
        "{{ $value }} events that nobody consumes: look at the App's events, and purge the queue",
    },
    {
      alert: "TickborgDecodeFailures",
      // A counter that begins has not increased yet.
      expr: "increase(tickborg_job_decode_failure[15m]) > 0 or " +
        "(tickborg_job_decode_failure > 0 unless tickborg_job_decode_failure offset 15m)",
      for: "0m",
      labels: { severity: "warning" },
      summary: "{{ $labels.instance }} received jobs that it could not decode",
    },
  ];
}

/** Every alert: the document's health table (`docs/deployment.md`, "Health") and what it leaves out. */
export function alerts(): Alert[] {
  return [
    ...distinctRules().map(depth),
    ...distinctRules().map(consumers),
    down(
      "tickborg-stats",
      "stats",
      "The stats endpoint does not answer: stats is down, and other alerts see nothing",
    ),
    down(
      "tickborg-webhook-receiver",
      "github-webhook-receiver",
      "The webhook receiver is down or without its broker: webhooks are lost",
    ),
    down(
      "tickborg-log-collector",
      "log-message-collector",
      "The log collector is down or without its broker: logs cannot be read",
    ),
    ...faults(),
  ];
}

/** A scalar that YAML reads as the text it is, as `deno fmt` leaves it. */
function quoted(text: string): string {
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}

/** The file of rules. */
export function alertsFile(): string {
  const rules = alerts().map(({ alert, expr, labels, summary, ...rest }) =>
    `      - alert: ${alert}
        expr: ${quoted(expr)}
        for: ${rest.for}
        labels: { ${Object.entries(labels).map(([key, value]) => `${key}: ${value}`).join(", ")} }
        annotations:
          summary: ${quoted(summary)}
`
  );
  return "# Generated from lib/monitoring/health.ts: `deno task deploy-files` writes it anew\n" +
    `groups:\n  - name: tickborg\n    rules:\n${rules.join("")}`;
}

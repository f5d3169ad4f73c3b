/**
 * The least permissions of each role's broker user, and the topology, which an operator declares
 * once because no role may (rabbitmq.com/docs/access-control, "How Authorisation Works").
 *
 * One gap remains: retries, dead letters and jobs use the default exchange (`amq.default`), which
 * reaches every queue by name. A role cannot read other queues, change or delete queues or
 * exchanges, or publish a webhook's event, but it can put a message into any queue.
 */
import { ROLE_NAMES, type RoleName, roleOf } from "../../services/roles.ts";
import { SYSTEMS } from "../../lib/messages/systems.ts";
import { buildQueue, EXCHANGES, QUEUES } from "../../lib/broker/topology.ts";

/** The virtual host (`docs/deployment.md`, "RabbitMQ"). */
export const VHOST = "tickborg";

/** A user's permissions: regular expressions for the names of exchanges and queues. */
export interface Rights {
  readonly user: string;
  readonly vhost: string;
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** The broker user of a role. */
export function brokerUser(name: RoleName): string {
  return `tickborg-${name}`;
}

/** The administrator in `docs/deployment.md`, with all permissions. */
export const OWNER = "tickborg";

/** The user of commands such as `status` and `dead-letters`, which only read and move messages. */
export const OPERATOR = "tickborg-operator";

function escaped(name: string): string {
  return name.replaceAll(".", "\\.");
}

/** Matches exactly one of the alternatives, or nothing if there are none. */
function anyOf(patterns: readonly string[]): string {
  return patterns.length === 0 ? "^$" : `^(${patterns.join("|")})$`;
}

/** The queues a role consumes, one by one. */
function consumedQueues(name: RoleName): string[] {
  return roleOf(name).consumes.flatMap((queue) =>
    queue === "build-inputs-<system>" ? SYSTEMS.map(buildQueue) : [queue]
  );
}

/** The rights of a role's user. */
export function rightsOf(name: RoleName): Rights {
  const { publishes, subscribes = [] } = roleOf(name);
  const consumed = consumedQueues(name).map(escaped);
  const mine = consumed.length === 0 ? "" : `(${consumed.join("|")})`;
  // Queues of waiting retries.
  const delays = mine === "" ? [] : [`tickborg\\.delay\\.[0-9]+\\.${mine}`];
  // Leases of long builds (lib/broker/rabbitmq/leasing_consumer.ts).
  const leases = name === "builder"
    ? [`tickborg\\.lease\\.${mine}\\.[0-9a-f-]+(\\.back)?`, `tickborg\\.busy\\.${mine}`]
    : [];
  const subscribed = subscribes.length === 0 ? [] : ["tickborg\\.listen\\.[0-9a-f-]+"];
  return {
    user: brokerUser(name),
    vhost: VHOST,
    configure: anyOf([...delays, ...leases, ...subscribed]),
    write: anyOf(["amq\\.default", "stats", ...publishes.map(escaped), ...subscribed]),
    read: anyOf([...consumed, ...delays, ...leases, ...subscribed, ...subscribes.map(escaped)]),
  };
}

/** Rights of every user. */
function allRights(): Rights[] {
  return [
    { user: OWNER, vhost: VHOST, configure: ".*", write: ".*", read: ".*" },
    { user: OPERATOR, vhost: VHOST, configure: "^$", write: anyOf(["amq\\.default"]), read: ".*" },
    ...ROLE_NAMES.map(rightsOf),
  ];
}

/** Limits of queues without a consumer, as policies, because the queues must have no arguments. */
function policies() {
  return QUEUES.filter(({ keep }) => keep !== undefined).map(({ name, keep }) => ({
    vhost: VHOST,
    name: `keep-${name}`,
    pattern: `^${escaped(name)}$`,
    "apply-to": "queues",
    definition: { "max-length": keep, overflow: "drop-head" },
    priority: 0,
  }));
}

/** Exchanges, queues, bindings, policies and permissions for `rabbitmqctl import_definitions`. */
export function definitions(): Record<string, unknown> {
  return {
    vhosts: [{ name: VHOST }],
    permissions: allRights(),
    policies: policies(),
    exchanges: EXCHANGES.map(({ name, type }) => ({
      name,
      vhost: VHOST,
      type,
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: {},
    })),
    queues: QUEUES.map((queue) => ({
      name: queue.name,
      vhost: VHOST,
      durable: true,
      auto_delete: false,
      arguments: queue.arguments ?? {},
    })),
    bindings: QUEUES.flatMap((queue) =>
      queue.bindings.map(({ exchange, pattern }) => ({
        source: exchange,
        vhost: VHOST,
        destination: queue.name,
        destination_type: "queue",
        routing_key: pattern,
        arguments: {},
      }))
    ),
  };
}

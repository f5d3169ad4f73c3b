/** The kinds of RabbitMQ servers on which stories are told. */
import {
  type RabbitMqServer,
  type ServerOptions,
  startRabbitMq,
  type Vhost,
  withoutRabbitMq,
} from "../../testing/rabbitmq.ts";

/** The installed server, which is Debian 12's in CI, and Debian 13's with either type of queue. */
const KINDS = {
  "RabbitMQ": {},
  "RabbitMQ 4": { version: "4" },
  "RabbitMQ 4, quorum": { version: "4", defaultQueueType: "quorum" },
} as const satisfies Record<string, ServerOptions>;

type Kind = keyof typeof KINDS;

/** Those that differ most, for stories that take long. */
export const UNLIKE: readonly Kind[] = ["RabbitMQ", "RabbitMQ 4, quorum"];

/** Servers that the stories of one file share. */
export interface EachServer {
  /** That of the story which is being told. */
  readonly server: RabbitMqServer;
  /** Tells a story on each kind of server; ignored where there is no such server. */
  story(name: string, fn: (vhost: Vhost) => Promise<void>): void;
}

/** Each kind of server is started for its first story, and stopped after the file's last. */
export function tellOnEachServer(
  options: ServerOptions = {},
  kinds: readonly Kind[] = Object.keys(KINDS) as Kind[],
): EachServer {
  const started = new Map<Kind, RabbitMqServer>();
  let current: RabbitMqServer;
  Deno.test.afterAll(async () => {
    for (const server of started.values()) await server[Symbol.asyncDispose]();
  });
  return {
    get server() {
      return current;
    },
    story(name, fn) {
      for (const kind of kinds) {
        const ofKind: ServerOptions = KINDS[kind];
        Deno.test({
          name: `${kind}: ${name}`,
          ignore: withoutRabbitMq(ofKind.version),
          fn: async () => {
            current = started.get(kind) ?? await startRabbitMq({ ...options, ...ofKind });
            started.set(kind, current);
            await fn(await current.vhost());
          },
        });
      }
    },
  };
}

/** Routes messages to queues: the rules of AMQP 0-9-1 for topic and fanout exchanges. */
import { PoisonMessage } from "../common/errors.ts";
import type { Exchange, Topology } from "./topology.ts";

/**
 * Whether a topic pattern matches a routing key: dots separate words, `*` stands for one word, `#`
 * for any number of words, including none.
 */
export function topicMatches(pattern: string, routingKey: string): boolean {
  return wordsMatch(wordsOf(pattern), wordsOf(routingKey));
}

function wordsOf(key: string): string[] {
  return key === "" ? [] : key.split(".");
}

/**
 * Backtracks to the last `#` only, which is enough for wildcards: time grows with the product of
 * both lengths, whatever a stranger writes into a routing key.
 */
function wordsMatch(pattern: readonly string[], words: readonly string[]): boolean {
  let at = 0;
  let hash = -1;
  let resume = 0;
  for (let word = 0; word < words.length;) {
    if (pattern[at] === "#") {
      hash = at++;
      resume = word;
    } else if (at < pattern.length && (pattern[at] === "*" || pattern[at] === words[word])) {
      at++;
      word++;
    } else if (hash >= 0) {
      at = hash + 1;
      word = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "#") at++;
  return at === pattern.length;
}

/** Whether an exchange routes a message to a binding with this pattern. */
export function bindingMatches(exchange: Exchange, pattern: string, routingKey: string): boolean {
  return exchange.type === "fanout" || topicMatches(pattern, routingKey);
}

/**
 * The queues a message goes to, each once; undefined if there is no such exchange, or no such queue
 * for the default exchange.
 */
export function route(
  topology: Topology,
  message: { readonly exchange: string; readonly routingKey: string },
): string[] | undefined {
  const { queues, exchanges } = topology;
  if (message.exchange === "") {
    const found = queues.some(({ name }) => name === message.routingKey);
    return found ? [message.routingKey] : undefined;
  }
  const exchange = exchanges.find(({ name }) => name === message.exchange);
  if (exchange === undefined) return undefined;
  return queues.filter(({ bindings }) =>
    bindings.some((binding) =>
      binding.exchange === exchange.name &&
      bindingMatches(exchange, binding.pattern, message.routingKey)
    )
  ).map(({ name }) => name);
}

/** Maximum bytes of an exchange's name or a routing key: AMQP stores the length in one byte. */
const MAX_NAME_BYTES = 255;

/** Throws a {@link PoisonMessage} for an address that no broker can accept. */
export function assertAddress(
  { exchange, routingKey }: { readonly exchange: string; readonly routingKey: string },
): void {
  for (const [what, name] of [["exchange", exchange], ["routing key", routingKey]] as const) {
    // Each character has at least one byte, so that a huge name need not be encoded.
    const bytes = name.length > MAX_NAME_BYTES ? name.length : encoder.encode(name).byteLength;
    if (bytes > MAX_NAME_BYTES) {
      throw new PoisonMessage(
        `Cannot publish: ${what} of ${bytes} bytes, at most ${MAX_NAME_BYTES}`,
      );
    }
  }
}

const encoder = new TextEncoder();

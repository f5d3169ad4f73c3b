/** Faults of RabbitMQ: refusals, and ends of connections. */

/** Names of AMQP reply codes, with which RabbitMQ's messages begin (AMQP 0-9-1, section 1.8). */
export type FaultCode = "ACCESS_REFUSED" | "NOT_FOUND" | "PRECONDITION_FAILED" | "NOT_ALLOWED";

/** What ended a connection, a channel or an operation. */
export class AmqpFault extends Error {
  override name = "AmqpFault";
  /** The reply code's name, or the client's or system's own code. */
  readonly code: string;

  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }

  is(...codes: FaultCode[]): boolean {
    return codes.includes(this.code as FaultCode);
  }
}

/** Converts anything that the client throws. */
export function asFault(error: unknown): AmqpFault {
  if (error instanceof AmqpFault) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  // The client puts the failed method before the server's text, except before the login.
  const words = String(message ?? error).replace(/^\w+: (?=[A-Z_]+ - )/, "");
  return new AmqpFault(typeof code === "string" ? code : "FAULT", words, { cause: error });
}

/** `ACCESS_REFUSED - access to queue …` as a fault. */
export function closeFault(replyText: string): AmqpFault {
  const code = /^([A-Z_]+) - /.exec(replyText)?.[1] ?? "CH_CLOSE";
  return new AmqpFault(code, replyText);
}

/** The AMQP client, in the only file that imports it, and internals that its types hide. */
import type { Socket } from "node:net";
import { type Channel as RawChannel, Connection as RawConnection } from "rabbitmq-client";
import { type AmqpFault, closeFault } from "./fault.ts";
export type { AsyncMessage, SyncMessage } from "rabbitmq-client";

export { type RawChannel, RawConnection };

/** Methods that the client's types hide; the contract suite fails if a new version moves them. */
interface Internals {
  _onHeader(frame: { fields: { contentEncoding?: string } }): void;
  _onMethod(frame: { methodId: number; params: { replyCode: number; replyText: string } }): void;
}

/** `channel.close`: class 20, method 40. */
const CHANNEL_CLOSE = (20 << 16) | 40;

/** Calls `tell` with the server's reason for ending a channel; the client itself hides it. */
export function onClosedByServer(raw: RawChannel, tell: (reason: AmqpFault) => void): void {
  const internals = raw as unknown as Internals;
  const onMethod = internals._onMethod.bind(raw);
  internals._onMethod = (frame) => {
    if (frame.methodId === CHANNEL_CLOSE) tell(closeFault(frame.params.replyText));
    onMethod(frame);
  };
}

/**
 * Keeps bodies byte for byte (signatures, large numbers, broken JSON for the dead letters): the
 * client parses bodies of some content types, but not those with a content encoding.
 */
export function keepBytes(raw: RawChannel): void {
  const internals = raw as unknown as Internals;
  const onHeader = internals._onHeader.bind(raw);
  internals._onHeader = (frame) => {
    frame.fields.contentEncoding ??= "identity";
    onHeader(frame);
  };
}

/** The socket of a connection, created with it and never replaced while the connection lives. */
export function socketOf(connection: RawConnection): Socket {
  return (connection as unknown as { readonly _socket: Socket })._socket;
}

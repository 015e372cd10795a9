import type { Buffer } from "node:buffer";
import type { Writable } from "node:stream";
import type { WebSocket } from "ws";

/**
 * Makes `ws` read nothing more from a connection that inflates once `ws` or `admits` has found a fault in it.
 *
 * Bytes that arrive while a message is inflated wait in the stream of the receiver. When a part of them has failed,
 * Node.js still writes the rest, and the receiver of `ws` 8.23.0 then throws where nobody can catch the error: three
 * small writes of any client that agreed on compression would end the process.
 *
 * @param admits - called with what was read, before `ws` looks at it. When it returns `false`, `ws` never does.
 */
export function guardReceiver(carrier: WebSocket, admits: (chunk: Buffer) => boolean): void {
  /* oxlint-disable no-underscore-dangle -- these are the names that ws and Node.js use */
  const receiver = (carrier as unknown as { readonly _receiver: Writable })._receiver;
  const write = receiver._write.bind(receiver);
  receiver._write = (chunk: Buffer, encoding, callback) => {
    if (receiver.errored === null && admits(chunk)) write(chunk, encoding, callback);
    else callback();
  };
  /* oxlint-enable no-underscore-dangle */
}

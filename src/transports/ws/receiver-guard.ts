import type { Writable } from "node:stream";
import type { WebSocket } from "ws";

/**
 * Makes `ws` read nothing more from a connection once it has found a fault in it.
 *
 * Bytes that arrive while a message is inflated wait in the stream of the receiver. When a part of them has failed,
 * Node.js still writes the rest, and the receiver of `ws` 8.23.0 then throws where nobody can catch the error: three
 * small writes of any client that agreed on compression would end the process.
 */
export function guardReceiver(carrier: WebSocket): void {
  /* oxlint-disable no-underscore-dangle -- these are the names that ws and Node.js use */
  const receiver = (carrier as unknown as { readonly _receiver: Writable })._receiver;
  const write = receiver._write.bind(receiver);
  receiver._write = (chunk, encoding, callback) => {
    if (receiver.errored === null) write(chunk, encoding, callback);
    else callback();
  };
  /* oxlint-enable no-underscore-dangle */
}

import type { Writable } from "node:stream";
import type { WebSocket } from "ws";

/**
 * Makes `ws` read nothing more of a connection once it has found a fault in it.
 *
 * What comes while a message is inflated waits in the stream of its receiver. Node goes on with the rest of that when a
 * part of it has failed, and the receiver of `ws` 8.23.0 then throws where nobody can catch it: three small writes of any
 * client that agreed on compression would end the process.
 */
export function guardReceiver(carrier: WebSocket): void {
  /* oxlint-disable no-underscore-dangle -- that is what ws and Node call them */
  const receiver = (carrier as unknown as { readonly _receiver: Writable })._receiver;
  const write = receiver._write.bind(receiver);
  receiver._write = (chunk, encoding, callback) => {
    if (receiver.errored === null) write(chunk, encoding, callback);
    else callback();
  };
  /* oxlint-enable no-underscore-dangle */
}

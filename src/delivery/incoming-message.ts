import { Buffer } from "node:buffer";

/**
 * Makes a message of bytes that a transport lends: text as a string, binary data as a copy.
 *
 * The copy has memory of its own: the shared pool of Node.js would be kept alive by what a handler keeps of the
 * message.
 */
export function ownedMessage(data: Buffer, isBinary: boolean): string | Buffer {
  if (!isBinary) return data.toString();
  const copy = Buffer.allocUnsafeSlow(data.length);
  copy.set(data);
  return copy;
}

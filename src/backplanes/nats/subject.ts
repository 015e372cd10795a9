import { createHash } from "node:crypto";

/**
 * The length up to which names are used as they are, in characters. A server ends a connection that sends a longer line
 * of the protocol, a part of which is the command.
 */
const MAX_LENGTH = 2_048;

/**
 * Names the subject of a channel, a different one for each. Letters, digits, `-` and `_` stay as they are; every other
 * UTF-16 code unit becomes `=` and four hexadecimal digits. A name that would be too long is replaced by its SHA-256.
 */
export function subjectOf(prefix: string, channel: string): string {
  const token = channel.replaceAll(/[^\w-]/g, (unit) => `=${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (token.length <= MAX_LENGTH) return `${prefix}.${token}`;
  // The token is hashed, not the channel: half of a surrogate pair, which a channel may contain, has no bytes in UTF-8.
  return `${prefix}.==${createHash("sha256").update(token).digest("hex")}`;
}

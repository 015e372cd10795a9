import { createHash } from "node:crypto";

/** A server ends the connection at a longer line of its protocol; some of it is taken by the command. */
const MAX_LENGTH = 2_048;

/**
 * The subject of a channel: another one for each. Letters, digits, `-` and `_` stay as they are, every other UTF-16 code unit
 * becomes `=` and four hexadecimal digits. What would be too long is named by its SHA-256.
 */
export function subjectOf(prefix: string, channel: string): string {
  const token = channel.replaceAll(/[^\w-]/g, (unit) => `=${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  if (token.length <= MAX_LENGTH) return `${prefix}.${token}`;
  // By the token, as the hash is of bytes, and half of a surrogate pair has none.
  return `${prefix}.==${createHash("sha256").update(token).digest("hex")}`;
}

import { createHash } from "node:crypto";
import type { LogLimits } from "../backplane.ts";

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
  return `${prefix}.${tokenOf(channel)}`;
}

/** Names the last token of all subjects of a channel. */
export function tokenOf(channel: string): string {
  const token = encode(channel);
  if (token.length <= MAX_LENGTH) return token;
  // The token is hashed, not the channel: half of a surrogate pair, which a channel may contain, has no bytes in UTF-8.
  return `==${createHash("sha256").update(token).digest("hex")}`;
}

/** The last token of a subject that no channel has. */
export const NOBODY = "=nobody";

/** Names the stream of the logs with these limits. */
export function streamOf(prefix: string, { size, age }: LogLimits): string {
  return `${encode(prefix)}-${size}-${age}`;
}

/** Names the subject of the log of a channel in a stream. What is stored there comes back on the subject of the channel. */
export function logSubjectOf(prefix: string, stream: string, token: string): string {
  return `${prefix}.log.${stream.slice(encode(prefix).length + 1)}.${token}`;
}

/** Names the subjects of all logs. */
export function logSubjectsOf(prefix: string): string {
  return `${prefix}.log.*.*`;
}

function encode(text: string): string {
  return text.replaceAll(/[^\w-]/g, (unit) => `=${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

import { createHash } from "node:crypto";

/** Length of a digest: enough that different values have different ones. */
const LENGTH = 16;

/** Returns a short text that is the same for the same JSON value. */
export function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, LENGTH);
}

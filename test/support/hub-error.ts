import type { HubErrorCode } from "roomcast";
import { expect } from "vitest";

/** Matches a `HubError` with this code whose message contains `text`. */
export function hubError(code: HubErrorCode, text = ""): Error {
  return expect.objectContaining({ name: "HubError", code, message: expect.stringContaining(text) }) as Error;
}

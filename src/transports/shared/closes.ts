import { CloseCode, type Close } from "../../protocol/close-codes.ts";

// The libraries report these in words and codes of their own; the hub is told the same on every transport.

/** The client sent a text message that is not UTF-8. */
export const INVALID_TEXT: Close = { code: CloseCode.invalidText, reason: "Invalid UTF-8" };

/** The client sent a message that is larger than `maxMessageBytes`. */
export const TOO_BIG: Close = { code: CloseCode.messageTooBig, reason: "Message too big" };

/**
 * The connection ended without a close frame. The same is reported for frames that break RFC 6455 in any other way,
 * because uWebSockets.js cannot tell them from a lost connection.
 */
export const ABNORMAL: Close = { code: CloseCode.abnormal, reason: "" };

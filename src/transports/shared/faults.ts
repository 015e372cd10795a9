import { CloseCode } from "../../protocol/close-codes.ts";

/** How a connection ended, as the hub is told. */
export interface Outcome {
  readonly code: number;
  readonly reason: string;
}

/**
 * The ends that a client brings about by breaking a rule. The libraries report them in words and codes of their own;
 * these are the same on every transport.
 *
 * Frames that break RFC 6455 in any other way end as {@link ABNORMAL}: uWebSockets.js cannot tell them from a lost
 * connection.
 */
export const Fault: { readonly text: Outcome; readonly size: Outcome } = {
  text: { code: CloseCode.invalidText, reason: "Invalid UTF-8" },
  size: { code: CloseCode.messageTooBig, reason: "Message too big" },
};

/** The end without a close frame. */
export const ABNORMAL: Outcome = { code: CloseCode.abnormal, reason: "" };

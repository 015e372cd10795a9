import type { CloseCode } from "../protocol/close-codes.ts";
import type { ControlEvent, WireErrorCode } from "../protocol/packet.ts";

// Of the protocol's tables, the words that the client itself uses: a bundler would keep the tables whole.

export const NORMAL: typeof CloseCode.normal = 1000;
export const ABNORMAL: typeof CloseCode.abnormal = 1006;
export const UNSUPPORTED_VERSION: typeof CloseCode.unsupportedVersion = 4004;

export const DROPPED: typeof ControlEvent.dropped = "hub:dropped";

export const UNKNOWN_EVENT: typeof WireErrorCode.unknownEvent = "unknown-event";
export const HANDLER_FAILED: typeof WireErrorCode.handlerFailed = "handler-failed";
export const INVALID_DATA: typeof WireErrorCode.invalidData = "invalid-data";

import { Buffer } from "node:buffer";
import { HubError } from "./errors.ts";
import { CloseCode, isSendableCloseCode, MAX_CLOSE_REASON_BYTES } from "./protocol/close-codes.ts";

/**
 * The code and the reason of a close, checked and with the defaults filled in: 1000 and none.
 *
 * @throws {HubError} `ERR_HUB_CLOSE_CODE`, because the transports would each do something else with bad ones.
 */
export function checkCloseArguments(
  code: number = CloseCode.normal,
  reason = "",
): { readonly code: number; readonly reason: string } {
  if (!isSendableCloseCode(code)) {
    throw new HubError(
      "ERR_HUB_CLOSE_CODE",
      `${String(code)} is not a close code that may be sent. Use 1000, or one of your own from 4000 to 4999.`,
    );
  }
  if (typeof reason !== "string" || Buffer.byteLength(reason) > MAX_CLOSE_REASON_BYTES) {
    throw new HubError(
      "ERR_HUB_CLOSE_CODE",
      `The reason of a close must be a string of at most ${MAX_CLOSE_REASON_BYTES} bytes in UTF-8.`,
    );
  }
  return { code, reason };
}

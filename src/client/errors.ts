import type { WireError } from "../protocol/packet.ts";

/** Every code that a {@link ClientError} can carry. `docs/ERRORS.md` says of each what to do about it. */
export type ClientErrorCode =
  | "ERR_CLIENT_ARGUMENT"
  | "ERR_CLIENT_AUTH"
  | "ERR_CLIENT_CLOSED"
  | "ERR_CLIENT_CONTRACT"
  | "ERR_CLIENT_DISCONNECTED"
  | "ERR_CLIENT_DROPPED"
  | "ERR_CLIENT_LISTENER"
  | "ERR_CLIENT_OPTION"
  | "ERR_CLIENT_OVERFLOW"
  | "ERR_CLIENT_QUEUE_FULL"
  | "ERR_CLIENT_REMOTE"
  | "ERR_CLIENT_TIMEOUT"
  | "ERR_CLIENT_UNSERIALISABLE";

/** What the client throws, rejects with, and reports in `hub:error`. `code` is stable; the message may change. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;
  /** Of `ERR_CLIENT_REMOTE`: the server's own code, such as `not-joinable`. */
  readonly reason: string | undefined;

  constructor(code: ClientErrorCode, message: string, details: Details = {}) {
    super(message, details);
    this.code = code;
    this.reason = details.reason;
  }
}

interface Details extends ErrorOptions {
  readonly reason?: string;
}

/**
 * Throw it in a handler to answer the server's request with an error of your own. Whatever else a handler throws is
 * answered with `handler-failed`, and reaches `hub:error`.
 */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  /** A short word for the server's program. */
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What the server refused something with. */
export function remote({ code, message }: WireError): ClientError {
  return new ClientError("ERR_CLIENT_REMOTE", message, { reason: code });
}

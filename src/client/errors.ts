import type { Close } from "../protocol/close-codes.ts";
import type { WireError } from "../protocol/packet.ts";

/** Every code that a {@link ClientError} can carry. `docs/ERRORS.md` says for each what to do. */
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

/**
 * The error that the client throws, rejects with, and reports in `hub:error`. `code` is stable; the message may change.
 */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  declare readonly code: ClientErrorCode;
  /** The server's own code, such as `not-joinable`. Only `ERR_CLIENT_REMOTE` has one. */
  declare readonly reason: string | undefined;
  /** What the server's program has added to its refusal; `undefined` for other errors. */
  declare readonly data: unknown;
  /** The room that the server refused, or could not decide about; `undefined` for other errors. */
  declare readonly room: string | undefined;

  constructor(code: ClientErrorCode, message: string, details?: Details) {
    super(message, details);
    Object.assign(this, details, { code });
  }
}

interface Details {
  readonly cause?: unknown;
  readonly data?: unknown;
  readonly reason?: string;
  readonly room?: string | undefined;
}

/**
 * The error that a handler throws to answer the server's request with an error of its own. For any other error the
 * server gets `handler-failed`, and the error goes to `hub:error`.
 */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  /** A short word on which the server's program can branch. */
  declare readonly reason: string;
  /** What else the server's program is told: any value that the codec can encode. */
  declare readonly data: unknown;

  constructor(reason: string, message: string, details?: ErrorOptions & { readonly data?: unknown }) {
    super(message, details);
    Object.assign(this, { reason, data: details?.data });
  }
}

/** Makes the error with which the server refused something. */
export function remote({ code, data, message, room }: WireError & { readonly room?: string }): ClientError {
  return new ClientError("ERR_CLIENT_REMOTE", message, { reason: code, data, room });
}

/** Makes the error of a call that a closed client cannot carry out. */
export function closed({ code, reason }: Partial<Close>): ClientError {
  return new ClientError("ERR_CLIENT_CLOSED", `The client was closed: ${code} ${reason}. Call open().`);
}

/** Makes the error of what is given up: a message for which there is no room, or a room that was left. */
export function dropped(what: string): ClientError {
  return new ClientError("ERR_CLIENT_DROPPED", `"${what}" was dropped.`);
}

export function badArgument(message: string): ClientError {
  return new ClientError("ERR_CLIENT_ARGUMENT", message);
}

/** Returns the message of a thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

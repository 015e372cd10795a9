/** Every code a {@link HubError} can carry. `docs/ERRORS.md` says of each what to do about it. */
export type HubErrorCode =
  | "EACCES"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "ERR_HUB_ARGUMENT"
  | "ERR_HUB_ATTACHED"
  | "ERR_HUB_AUTHENTICATE"
  | "ERR_HUB_BACKPLANE"
  | "ERR_HUB_BACKPLANE_UNAVAILABLE"
  | "ERR_HUB_CLOSED"
  | "ERR_HUB_CLOSE_CODE"
  | "ERR_HUB_CONTRACT"
  | "ERR_HUB_DISCONNECTED"
  | "ERR_HUB_EVENT_NAME"
  | "ERR_HUB_HANDLED"
  | "ERR_HUB_LIMIT"
  | "ERR_HUB_LISTEN"
  | "ERR_HUB_LISTENING"
  | "ERR_HUB_MESSAGE_TOO_LARGE"
  | "ERR_HUB_OPTION"
  | "ERR_HUB_PATH_TAKEN"
  | "ERR_HUB_REMOTE"
  | "ERR_HUB_REPLY"
  | "ERR_HUB_ROOM_NAME"
  | "ERR_HUB_TIMEOUT"
  | "ERR_HUB_TRANSPORT_UNAVAILABLE"
  | "ERR_HUB_UNSERIALISABLE";

/**
 * What the library throws and rejects with.
 *
 * A mistake in the calling program throws at the call. The message says what was wrong and what to do; `code` is stable
 * and is what programs should look at; `cause` is the underlying error where there is one.
 *
 * Failures to listen carry the code of the operating system (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`), as in Node.
 */
export class HubError extends Error {
  override readonly name: string = "HubError";
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Throw it in a handler to answer with an error of your own: the client gets this reason and message, in the reply to its
 * request or, if it asked for none, in `hub:error`.
 *
 * Whatever else a handler throws is answered with `handler-failed` and nothing of its text, which may hold secrets, and
 * reaches the hub's `error` event.
 *
 * @example
 * hub.handle("rename", ({ name }) => {
 *   if (name === "") throw new ReplyError("empty-name", "Choose a name of at least one character.");
 * });
 */
export class ReplyError extends HubError {
  override readonly name = "ReplyError";
  /** A short word that the client can branch on: the `code` of the error on the wire. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super("ERR_HUB_REPLY", message, options);
    this.reason = reason;
  }
}

/**
 * What a request fails with when the client answers it with an error.
 *
 * Not a {@link ReplyError}: one that escapes from a handler must not carry one client's words to another.
 */
export class RemoteError extends HubError {
  override readonly name = "RemoteError";
  /** The `code` of the error on the wire, as the client chose it. */
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super("ERR_HUB_REMOTE", message, options);
    this.reason = reason;
  }
}

/**
 * A socket would be in more rooms than `limits.rooms`. Clients bring that about by asking for them, so where it escapes from
 * a handler it is the client who is told.
 */
export class RoomLimitError extends HubError {
  constructor(id: string, most: number) {
    super(
      "ERR_HUB_LIMIT",
      `The socket ${id} would be in more than ${most} rooms. Leave some or raise the option "limits.rooms".`,
    );
  }
}

/** The message of whatever was thrown, even of what cannot be shown. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "An error without a message.";
  }
}

/** What a value is, for the sentence "must be a string, not …". */
export function typeName(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** Whether what was thrown is such an error. What was thrown may be a proxy, and fail even at this. */
export function isInstance<E>(error: unknown, type: abstract new (...args: never) => E): error is E {
  try {
    return error instanceof type;
  } catch {
    return false;
  }
}

/** Every code that a {@link HubError} can carry. `docs/ERRORS.md` says for each what to do. */
export type HubErrorCode =
  | "EACCES"
  | "EADDRINUSE"
  | "EADDRNOTAVAIL"
  | "EMFILE"
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
  | "ERR_HUB_HISTORY"
  | "ERR_HUB_LIMIT"
  | "ERR_HUB_LISTEN"
  | "ERR_HUB_LISTENING"
  | "ERR_HUB_MESSAGE_TOO_LARGE"
  | "ERR_HUB_OPTION"
  | "ERR_HUB_PATH_TAKEN"
  | "ERR_HUB_PRESENCE"
  | "ERR_HUB_REMOTE"
  | "ERR_HUB_REPLY"
  | "ERR_HUB_ROOM_NAME"
  | "ERR_HUB_TIMEOUT"
  | "ERR_HUB_TRANSPORT_UNAVAILABLE"
  | "ERR_HUB_UNSERIALISABLE";

/**
 * The error that the library throws and rejects with.
 *
 * A mistake in the calling program throws at the call. The message says what was wrong and what to do. `code` is stable
 * and meant for programs. `cause` is the underlying error, if there is one.
 *
 * A failure to listen or to accept carries the code of the operating system (`EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`,
 * `EMFILE`), as in Node.js.
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
 * The error that a handler throws to answer with an error of its own. The client gets this reason and message, in the
 * reply to its request or, if it sent no request, in `hub:error`.
 *
 * For any other error the client gets `handler-failed` and nothing of the error's text, which may hold secrets; the
 * error itself goes to the hub's `error` event.
 *
 * @example
 * hub.handle("rename", ({ name }) => {
 *   if (name === "") throw new ReplyError("empty-name", "Choose a name of at least one character.");
 * });
 */
export class ReplyError extends HubError {
  override readonly name = "ReplyError";
  /** A short word on which the client can branch: the `code` of the error on the wire. */
  readonly reason: string;
  /**
   * What else the client is told: any value that the codec can encode. If the codec cannot, the client gets the reason and
   * the message without it, and the hub's `error` event tells why. Default: nothing.
   */
  readonly data: unknown;

  constructor(reason: string, message: string, options: RefusalOptions = {}) {
    super("ERR_HUB_REPLY", message, options);
    this.reason = reason;
    this.data = options.data;
  }
}

/**
 * The error with which a request rejects when the client, or the program on another node, answers it with an error.
 *
 * It is not a {@link ReplyError}, because an error that escapes from a handler must not carry one client's words to
 * another.
 */
export class RemoteError extends HubError {
  override readonly name = "RemoteError";
  /** The `code` of the error on the wire, as the client chose it, or what the handler of the other node did. */
  readonly reason: string;
  /** What the client, or the handler, has added to its error. No contract checks it. */
  readonly data: unknown;

  constructor(reason: string, message: string, options: RefusalOptions = {}) {
    super("ERR_HUB_REMOTE", message, options);
    this.reason = reason;
    this.data = options.data;
  }
}

/** What an error that is told to the other side has beside its reason and message. */
export interface RefusalOptions extends ErrorOptions {
  readonly data?: unknown;
}

/**
 * The error for a socket that would be in more rooms than `limits.rooms`. Clients cause it by asking for rooms, so if
 * it escapes from a handler, the client is told.
 */
export class RoomLimitError extends HubError {
  constructor(id: string, most: number) {
    super(
      "ERR_HUB_LIMIT",
      `The socket ${id} would be in more than ${most} rooms. Leave some or raise the option "limits.rooms".`,
    );
  }
}

/** Returns the message of a thrown value, even if the value cannot be converted to a string. */
export function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "An error without a message.";
  }
}

/** Names the type of a value, for sentences such as "must be a string, not …". */
export function typeName(value: unknown): string {
  return value === null ? "null" : typeof value;
}

/** Tells whether a thrown value is an instance of `type`. A thrown proxy can make even this test throw. */
export function isInstance<E>(error: unknown, type: abstract new (...args: never) => E): error is E {
  try {
    return error instanceof type;
  } catch {
    return false;
  }
}

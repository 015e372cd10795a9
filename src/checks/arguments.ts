import { Buffer } from "node:buffer";
import { HubError, typeName } from "../errors.ts";
import { CloseCode, isSendableCloseCode, MAX_CLOSE_REASON_BYTES, type Close } from "../protocol/close-codes.ts";
import { MAX_EVENT_NAME_LENGTH, RESERVED_PREFIX } from "../protocol/packet.ts";

/**
 * Checks the name of an event that the application wants to send or handle.
 *
 * @throws {HubError} `ERR_HUB_EVENT_NAME`.
 */
export function checkEventName(event: unknown): void {
  if (typeof event !== "string" || event === "") {
    throw new HubError("ERR_HUB_EVENT_NAME", "An event's name must be a non-empty string.");
  }
  if (event.length > MAX_EVENT_NAME_LENGTH) {
    throw new HubError("ERR_HUB_EVENT_NAME", `An event's name must be at most ${MAX_EVENT_NAME_LENGTH} characters.`);
  }
  if (!event.isWellFormed()) {
    throw new HubError(
      "ERR_HUB_EVENT_NAME",
      "An event's name must be well-formed: this one has half a surrogate pair.",
    );
  }
  if (event.startsWith(RESERVED_PREFIX)) {
    throw new HubError(
      "ERR_HUB_EVENT_NAME",
      `"${event}" is reserved: names that begin with "${RESERVED_PREFIX}" belong to the protocol. Choose another.`,
    );
  }
}

/**
 * Checks the code and the reason of a close, and makes the reason well-formed. The defaults are 1000 and an empty
 * reason.
 *
 * @throws {HubError} `ERR_HUB_CLOSE_CODE`, because each transport would do something else with bad ones.
 */
export function checkClose(code: number = CloseCode.normal, reason = ""): Close {
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
  return { code, reason: reason.toWellFormed() };
}

/**
 * Checks the id of a socket or a user.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkId(id: unknown): string {
  if (typeof id === "string" && id !== "" && id.isWellFormed()) return id;
  throw new HubError("ERR_HUB_ARGUMENT", "The id of a socket or user must be a non-empty, well-formed string.");
}

/**
 * Checks a list of ids of users.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkIds(ids: unknown): void {
  if (!Array.isArray(ids)) {
    throw new HubError("ERR_HUB_ARGUMENT", `online() takes an array of the ids of users, not ${typeName(ids)}.`);
  }
  for (const id of ids) checkId(id);
}

/** The property that tells a socket from the name of a room. */
export interface SocketLike {
  readonly id: string;
  join(...rooms: readonly (string | readonly string[])[]): void;
}

/**
 * Checks that a value is a socket.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkSocket(value: unknown): { readonly id: string } {
  const socket = value as { readonly id?: unknown; readonly join?: unknown } | null | undefined;
  if (typeof socket?.id === "string" && typeof socket.join === "function") return { id: socket.id };
  throw new HubError("ERR_HUB_ARGUMENT", `except() takes the names of rooms and Sockets, not ${typeName(value)}.`);
}

/**
 * Checks that a value is a function.
 *
 * @param what - the beginning of the sentence "… must be a function".
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== "function") {
    throw new HubError("ERR_HUB_ARGUMENT", `${what} must be a function, not ${typeName(value)}.`);
  }
}

/**
 * Checks that one more listener or handler may be added to `count` of them.
 *
 * @throws {HubError} `ERR_HUB_LIMIT`: a program that adds without end has forgotten to remove.
 */
export function checkCount(count: number, most: number, what: string): void {
  if (count < most) return;
  throw new HubError(
    "ERR_HUB_LIMIT",
    `There are ${count} ${what} already. Remove those that are not needed or raise the option "limits.listeners".`,
  );
}

/**
 * Returns the data of an event, which is at most one value.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT` for several values: all but the first would be lost.
 */
export function onlyValue<V>(values: readonly V[]): V | undefined {
  if (values.length <= 1) return values[0];
  throw new HubError(
    "ERR_HUB_ARGUMENT",
    "emit() takes one value; put several into an object or an array. For a reply use request().",
  );
}

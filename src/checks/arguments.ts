import { Buffer } from "node:buffer";
import { HubError, typeName } from "../errors.ts";
import { isObject, MAX_DELAY } from "./option-rules.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import { CloseCode, isSendableCloseCode, MAX_CLOSE_REASON_BYTES } from "../protocol/close-codes.ts";
import { MAX_EVENT_NAME_LENGTH, RESERVED_PREFIX } from "../protocol/packet.ts";
import type { RequestOptions } from "../members/requests.ts";

/** How long a request waits for its replies unless it says otherwise, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000;

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
  if (event.startsWith(RESERVED_PREFIX)) {
    throw new HubError(
      "ERR_HUB_EVENT_NAME",
      `"${event}" is reserved: names that begin with "${RESERVED_PREFIX}" belong to the protocol. Choose another.`,
    );
  }
}

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

/**
 * The timeout that a caller asked for.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT` for a value that would let a request wait for ever.
 */
export function timeoutOf(options: RequestOptions = {}): number {
  if (!isObject(options)) {
    throw new HubError("ERR_HUB_ARGUMENT", "The options of request() must be an object such as { timeout: 500 }.");
  }
  const { timeout = DEFAULT_TIMEOUT } = options;
  if (typeof timeout === "number" && timeout > 0 && timeout <= MAX_DELAY) return timeout;
  throw new HubError("ERR_HUB_ARGUMENT", `A timeout must be a positive number of milliseconds up to ${MAX_DELAY}.`);
}

/** @throws {HubError} `ERR_HUB_ARGUMENT`. */
export function checkId(id: unknown): string {
  if (typeof id === "string" && id !== "") return id;
  throw new HubError("ERR_HUB_ARGUMENT", "The id of a socket or user must be a non-empty string.");
}

/**
 * Something that is meant as a socket.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`.
 */
export function checkSocket(value: unknown): { readonly id: string } {
  const socket = value as { readonly id?: unknown; readonly join?: unknown } | null | undefined;
  if (typeof socket?.id === "string" && typeof socket.join === "function") return { id: socket.id };
  throw new HubError("ERR_HUB_ARGUMENT", `except() takes the names of rooms and Sockets, not ${typeName(value)}.`);
}

/** @throws {HubError} `ERR_HUB_ARGUMENT`. */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== "function") {
    throw new HubError("ERR_HUB_ARGUMENT", `${what} must be a function, not ${typeName(value)}.`);
  }
}

/**
 * Checks whether one more may be added to so many.
 *
 * @throws {HubError} `ERR_HUB_LIMIT`: who adds without end has forgotten to remove.
 */
export function checkCount(count: number, most: number, what: string): void {
  if (count < most) return;
  throw new HubError(
    "ERR_HUB_LIMIT",
    `There are ${count} ${what} already. Remove those that are not needed or raise the option "limits.listeners".`,
  );
}

/** @throws {HubError} `ERR_HUB_ARGUMENT`. */
export function checkPolicy(policy: unknown): OverloadPolicy {
  if (policy === "close" || policy === "drop") return policy;
  throw new HubError("ERR_HUB_ARGUMENT", 'The overload policy must be "close" or "drop".');
}

/** @throws {HubError} `ERR_HUB_ARGUMENT`. */
export function checkKey(key: unknown): string {
  if (typeof key === "string" && key !== "") return key;
  throw new HubError("ERR_HUB_ARGUMENT", "The key of latest() must be a non-empty string.");
}

/**
 * The data of an event, which is one value.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT` for more: they would be lost.
 */
export function onlyValue<V>(values: readonly V[]): V | undefined {
  if (values.length <= 1) return values[0];
  throw new HubError(
    "ERR_HUB_ARGUMENT",
    "emit() takes one value; put several into an object or an array. For a reply use request().",
  );
}

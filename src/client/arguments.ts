import { badArgument } from "./errors.ts";

/**
 * The names that the protocol allows for events of applications: not reserved, and of at most `MAX_EVENT_NAME_LENGTH`.
 */
export const EVENT: RegExp = /^(?!hub:)[^]{1,256}$/;

/** The names of the events that a client can listen to: those of the application, and the client's own. */
export const HEARD: RegExp = /^(?!hub:)[^]{1,256}$|^hub:(state|error|message|gap|dropped|left|presence)$/;

/** The names of rooms: not empty, and such that every codec can carry them. */
export const ROOM: RegExp = /^[^\ud800-\udfff]+$/u;

/** @throws {ClientError} `ERR_CLIENT_ARGUMENT` for what is no name of this kind. */
export function checkName(name: unknown, kind: RegExp): void {
  if (typeof name !== "string" || !kind.test(name)) {
    throw badArgument(`Not the name of an event or room: ${String(name)}`);
  }
}

/** @throws {ClientError} `ERR_CLIENT_ARGUMENT`. */
export function checkFunction(given: unknown): void {
  if (typeof given !== "function") throw badArgument("Give a function.");
}

import { HubError, typeName } from "../errors.ts";
import { MAX_EVENT_NAME_LENGTH, RESERVED_PREFIX } from "../protocol/packet.ts";
import { isStandardSchema, type StandardSchema } from "./standard-schema.ts";

/** Of the data of an event: a schema, or `null` for an event that carries none. */
export type EventDefinition = StandardSchema | null;

/** A request. Without `data` it carries none; without `reply` it is answered, but the answer carries nothing. */
export interface RequestDefinition {
  readonly data?: StandardSchema | undefined;
  readonly reply?: StandardSchema | undefined;
}

export type EventDefinitions = Readonly<Record<string, EventDefinition>>;
export type RequestDefinitions = Readonly<Record<string, RequestDefinition>>;

/** The events of an application: name to schema, in four groups. A group that is absent is empty. */
export interface ContractDefinition {
  /** What clients send. */
  readonly client?: EventDefinitions | undefined;
  /** What the server sends. */
  readonly server?: EventDefinitions | undefined;
  /** What clients ask the server. */
  readonly requests?: RequestDefinitions | undefined;
  /** What the server asks clients. */
  readonly serverRequests?: RequestDefinitions | undefined;
}

/** One event or request of the contract. */
export interface Entry {
  readonly event: string;
  readonly isRequest: boolean;
  /** Absent: no data. */
  readonly data: StandardSchema | undefined;
  /** Absent: a reply, if one is asked for, without data. */
  readonly reply: StandardSchema | undefined;
}

/** What one side may send, by name. */
export type Entries = ReadonlyMap<string, Entry>;

/** A definition, checked and by direction. */
export interface Directions {
  readonly fromClients: Entries;
  readonly fromServer: Entries;
}

const GROUPS = ["client", "server", "requests", "serverRequests"];

/**
 * Checks a definition and sorts it by direction.
 *
 * @throws {HubError} `ERR_HUB_CONTRACT` naming the group and the event.
 */
export function directionsOf(definition: unknown): Directions {
  if (!isPlainObject(definition)) throw invalid("A contract is an object of groups", definition);
  for (const group of Object.keys(definition)) {
    if (!GROUPS.includes(group)) throw broken(`A contract has no group "${group}", only ${GROUPS.join(", ")}.`);
  }
  return {
    fromClients: entriesOf(definition, "client", "requests"),
    fromServer: entriesOf(definition, "server", "serverRequests"),
  };
}

/** Of the events and the requests of one side, which share their names. */
function entriesOf(definition: Record<string, unknown>, events: string, requests: string): Entries {
  const entries = new Map<string, Entry>();
  for (const [event, value] of namesIn(definition[events], events)) {
    entries.set(event, eventOf(event, value, place(events, event)));
  }
  for (const [event, value] of namesIn(definition[requests], requests)) {
    if (entries.has(event)) {
      throw broken(`"${event}" is in ${events} and in ${requests}. A name belongs to one of them.`);
    }
    entries.set(event, requestOf(event, value, place(requests, event)));
  }
  return entries;
}

function namesIn(group: unknown, name: string): [event: string, definition: unknown][] {
  if (group === undefined) return [];
  if (!isPlainObject(group)) throw invalid(`"${name}" is an object of names and schemas`, group);
  const entries = Object.entries(group);
  for (const [event] of entries) checkName(event, name);
  return entries;
}

function eventOf(event: string, value: unknown, where: string): Entry {
  if (value !== null && !isStandardSchema(value)) {
    throw invalid(`${where} is a Standard Schema (of zod, valibot, …), or null for an event without data`, value);
  }
  return { event, isRequest: false, data: value ?? undefined, reply: undefined };
}

function requestOf(event: string, value: unknown, where: string): Entry {
  if (!isPlainObject(value) || isStandardSchema(value)) {
    throw invalid(`${where} is an object such as { data: schema, reply: schema }`, value);
  }
  const { data, reply, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw broken(`${where} has "data" and "reply", no "${other}".`);
  return { event, isRequest: true, data: partOf(data, `${where}.data`), reply: partOf(reply, `${where}.reply`) };
}

function partOf(value: unknown, where: string): StandardSchema | undefined {
  if (value === undefined || isStandardSchema(value)) return value;
  throw invalid(`${where} is a Standard Schema (of zod, valibot, …), or left out`, value);
}

function checkName(event: string, group: string): void {
  if (event === "") throw broken(`"${group}" has an event without a name.`);
  if (event.length > MAX_EVENT_NAME_LENGTH) {
    throw broken(
      `"${group}" has an event "${event.slice(0, 32)}…". A name must be at most ${MAX_EVENT_NAME_LENGTH} characters.`,
    );
  }
  if (event.startsWith(RESERVED_PREFIX)) {
    throw broken(
      `"${event}" is reserved: names that begin with "${RESERVED_PREFIX}" belong to the protocol. Choose another.`,
    );
  }
}

function place(group: string, event: string): string {
  return `${group}[${JSON.stringify(event)}]`;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(sentence: string, value: unknown): HubError {
  return broken(`${sentence}, not ${Array.isArray(value) ? "an array" : typeName(value)}.`);
}

function broken(message: string): HubError {
  return new HubError("ERR_HUB_CONTRACT", message);
}

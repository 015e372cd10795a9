import { HubError, typeName } from "../errors.ts";
import { MAX_EVENT_NAME_LENGTH, RESERVED_PREFIX } from "../protocol/packet.ts";
import { isStandardSchema, type StandardSchema } from "./standard-schema.ts";

/** The definition of an event: the schema of its data, or `null` for an event without data. */
export type EventDefinition = StandardSchema | null;

/**
 * The definition of a request: the schemas of its data and of its reply. Without `data` the request carries no data;
 * without `reply` there is a reply, but it carries no data.
 */
export interface RequestDefinition {
  readonly data?: StandardSchema | undefined;
  readonly reply?: StandardSchema | undefined;
}

/** A group of events, by name. */
export type EventDefinitions = Readonly<Record<string, EventDefinition>>;
/** A group of requests, by name. */
export type RequestDefinitions = Readonly<Record<string, RequestDefinition>>;

/** The events of an application, from name to schema, in four groups. A group that is absent is empty. */
export interface ContractDefinition {
  /** The events that clients send. */
  readonly client?: EventDefinitions | undefined;
  /** The events that the server sends. */
  readonly server?: EventDefinitions | undefined;
  /** The requests that clients send. */
  readonly requests?: RequestDefinitions | undefined;
  /** The requests that the server sends. */
  readonly serverRequests?: RequestDefinitions | undefined;
}

/** One event or request of the contract. */
export interface ContractEntry {
  readonly event: string;
  readonly isRequest: boolean;
  /** The schema of the data; `undefined` if there is no data. */
  readonly data: StandardSchema | undefined;
  /** The schema of the reply's data; `undefined` if a reply, if there is one, has no data. */
  readonly reply: StandardSchema | undefined;
}

/** The events and requests that one side may send, by name. */
export type ContractEntries = ReadonlyMap<string, ContractEntry>;

/** A definition that has been checked, sorted by direction. */
export interface CheckedDefinition {
  readonly fromClients: ContractEntries;
  readonly fromServer: ContractEntries;
}

const GROUPS = ["client", "server", "requests", "serverRequests"];

/**
 * Checks a definition and sorts its entries by direction.
 *
 * @throws {HubError} `ERR_HUB_CONTRACT`. The message names the group and the event.
 */
export function checkDefinition(definition: unknown): CheckedDefinition {
  if (!isPlainObject(definition)) throw invalid("A contract must be an object of groups", definition);
  for (const group of Object.keys(definition)) {
    if (!GROUPS.includes(group)) throw broken(`A contract has no group "${group}", only ${GROUPS.join(", ")}.`);
  }
  return {
    fromClients: entriesOf(definition, "client", "requests"),
    fromServer: entriesOf(definition, "server", "serverRequests"),
  };
}

/** Returns the events and the requests of one side. They share one set of names. */
function entriesOf(definition: Record<string, unknown>, events: string, requests: string): ContractEntries {
  const entries = new Map<string, ContractEntry>();
  for (const [event, value] of namesIn(definition[events], events)) {
    entries.set(event, eventOf(event, value, place(events, event)));
  }
  for (const [event, value] of namesIn(definition[requests], requests)) {
    if (entries.has(event)) {
      throw broken(`"${event}" is in ${events} and in ${requests}. Use a name in one of them only.`);
    }
    entries.set(event, requestOf(event, value, place(requests, event)));
  }
  return entries;
}

function namesIn(group: unknown, name: string): [event: string, definition: unknown][] {
  if (group === undefined) return [];
  if (!isPlainObject(group)) throw invalid(`"${name}" must be an object of names and schemas`, group);
  const entries = Object.entries(group);
  for (const [event] of entries) checkName(event, name);
  return entries;
}

function eventOf(event: string, value: unknown, where: string): ContractEntry {
  if (value !== null && !isStandardSchema(value)) {
    throw invalid(`${where} must be a Standard Schema (of zod, valibot, …), or null for an event without data`, value);
  }
  return { event, isRequest: false, data: value ?? undefined, reply: undefined };
}

function requestOf(event: string, value: unknown, where: string): ContractEntry {
  if (!isPlainObject(value) || isStandardSchema(value)) {
    throw invalid(`${where} must be an object such as { data: schema, reply: schema }`, value);
  }
  const { data, reply, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw broken(`${where} may have "data" and "reply", but no "${other}".`);
  return { event, isRequest: true, data: partOf(data, `${where}.data`), reply: partOf(reply, `${where}.reply`) };
}

function partOf(value: unknown, where: string): StandardSchema | undefined {
  if (value === undefined || isStandardSchema(value)) return value;
  throw invalid(`${where} must be a Standard Schema (of zod, valibot, …), or left out`, value);
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

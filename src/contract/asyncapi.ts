import { HubError } from "../errors.ts";
import { MAX_KEY_LENGTH } from "../protocol/packet.ts";
import type { CheckedDefinition, ContractEntry } from "./definition.ts";
import { jsonSchemaOf, type JSONSchema } from "./json-schema.ts";
import type { StandardSchema } from "./standard-schema.ts";
import { validate } from "./validation.ts";

/** The options of `Contract.toAsyncAPI`. */
export interface AsyncAPIOptions {
  /** The title of the application. */
  readonly title: string;
  /** The version of the contract, in the application's own numbering. */
  readonly version: string;
  /** The description of the application. Default: the document has none. */
  readonly description?: string | undefined;
  /** The URL to which clients connect, such as `wss://example.com/chat`. Default: the document has no server. */
  readonly url?: string | URL | undefined;
}

/** A document in AsyncAPI 3.0. Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0. */
export interface AsyncAPIDocument {
  readonly asyncapi: "3.0.0";
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly defaultContentType: "application/json";
  readonly servers?: { readonly hub: { readonly host: string; readonly protocol: string } };
  /** The one channel: a single connection carries all messages. */
  readonly channels: {
    readonly hub: { readonly address: string | null; readonly messages: Readonly<Record<string, AsyncAPIMessage>> };
  };
  /** The operations as the server sees them: it receives what clients send. */
  readonly operations: Readonly<Record<string, AsyncAPIOperation>>;
  /** The schemas of the data inside the messages. */
  readonly components: { readonly schemas: Readonly<Record<string, JSONSchema>> };
}

/** One message, which is a packet of the protocol. */
interface AsyncAPIMessage {
  readonly name: string;
  readonly payload: JSONSchema;
}

interface AsyncAPIOperation {
  readonly action: "send" | "receive";
  readonly channel: AsyncAPIReference;
  readonly messages: readonly AsyncAPIReference[];
  readonly reply?: { readonly channel: AsyncAPIReference; readonly messages: readonly AsyncAPIReference[] };
}

interface AsyncAPIReference {
  readonly $ref: string;
}

/** The messages, operations and schemas of a document, one or more for each event. */
interface Components {
  readonly messages: Record<string, AsyncAPIMessage>;
  readonly operations: Record<string, AsyncAPIOperation>;
  readonly schemas: Record<string, JSONSchema>;
}

const CHANNEL: AsyncAPIReference = { $ref: "#/channels/hub" };
const ERROR_ID = "error";
const ID: JSONSchema = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const KEY: JSONSchema = { type: "string", minLength: 1, maxLength: MAX_KEY_LENGTH };

/** Describes both directions of a contract in AsyncAPI. `Contract.toAsyncAPI` has the details. */
export function toAsyncAPI({ fromClients, fromServer }: CheckedDefinition, options: AsyncAPIOptions): AsyncAPIDocument {
  const { title, version, description } = options;
  checkText("title", title);
  checkText("version", version);
  const url = options.url === undefined ? undefined : parseUrl(options.url);
  const components: Components = { messages: {}, operations: {}, schemas: {} };
  for (const entry of fromClients.values()) addEntry(components, entry, "receive");
  for (const entry of fromServer.values()) addEntry(components, entry, "send");
  return {
    asyncapi: "3.0.0",
    info: { title, version, ...(description === undefined ? {} : { description }) },
    defaultContentType: "application/json",
    ...(url === undefined ? {} : { servers: { hub: { host: url.host, protocol: url.protocol.slice(0, -1) } } }),
    channels: { hub: { address: url?.pathname ?? null, messages: components.messages } },
    operations: components.operations,
    components: { schemas: components.schemas },
  };
}

function addEntry(components: Components, entry: ContractEntry, action: "send" | "receive"): void {
  const { event, isRequest } = entry;
  const id = freeId(components, `${action === "receive" ? "client" : "server"}.${event}`);
  components.messages[id] = { name: event, payload: eventPacket(components, entry, id, action) };
  const operation = { action, channel: CHANNEL, messages: [messageRef(id)] };
  components.operations[id] = isRequest ? { ...operation, reply: addReply(components, entry, id) } : operation;
}

function addReply(
  components: Components,
  { event, reply }: ContractEntry,
  requestId: string,
): Required<AsyncAPIOperation>["reply"] {
  const id = freeId(components, `${requestId}.reply`);
  const data = reply === undefined ? undefined : addSchema(components, id, reply, `The reply to "${event}"`);
  components.messages[id] = { name: `${event} reply`, payload: packet({ reply: ID }, data, { error: false }) };
  components.messages[ERROR_ID] ??= ERROR_REPLY;
  return { channel: CHANNEL, messages: [messageRef(id), messageRef(ERROR_ID)] };
}

function eventPacket(
  components: Components,
  { event, isRequest, data }: ContractEntry,
  id: string,
  action: string,
): JSONSchema {
  const name = { event: { const: event } };
  return packet(
    isRequest ? { ...name, id: ID } : name,
    data === undefined ? NO_DATA : addSchema(components, id, data, `The data of "${event}"`),
    action === "send" ? { room: { type: "string" } } : isRequest ? { key: KEY } : { id: ID },
  );
}

/** The data inside a packet, as a schema. */
interface PacketData {
  readonly required: boolean;
  readonly schema: JSONSchema | boolean;
}

const NO_DATA: PacketData = { required: false, schema: false };

function packet(fields: JSONSchema, data: PacketData | undefined, optional: JSONSchema = {}): JSONSchema {
  return {
    type: "object",
    required: [...Object.keys(fields), ...(data?.required === true ? ["data"] : [])],
    properties: { ...fields, ...optional, ...(data === undefined ? {} : { data: data.schema }) },
  };
}

/** Adds a schema to the document. A packet may leave out its data if `undefined` is valid. */
function addSchema({ schemas }: Components, id: string, schema: StandardSchema, what: string): PacketData {
  const $ref = `#/components/schemas/${id}`;
  schemas[id] = jsonSchemaOf(schema, what, $ref);
  return { required: !validate(schema, undefined, what).ok, schema: { $ref } };
}

const ERROR_REPLY: AsyncAPIMessage = {
  name: "error reply",
  payload: {
    type: "object",
    required: ["reply", "error"],
    properties: {
      reply: ID,
      error: {
        type: "object",
        required: ["code", "message"],
        properties: { code: { type: "string" }, message: { type: "string" }, data: {} },
      },
    },
  },
};

/**
 * Returns an id that the document does not use yet. Ids in a document may contain only certain characters, while the
 * names of events may contain any.
 */
function freeId({ messages }: Components, name: string): string {
  const id = name.replaceAll(/[^\w.-]/g, "_");
  let free = id;
  for (let number = 2; Object.hasOwn(messages, free); number += 1) free = `${id}_${number}`;
  return free;
}

function messageRef(id: string): AsyncAPIReference {
  return { $ref: `#/channels/hub/messages/${id}` };
}

function checkText(option: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new HubError("ERR_HUB_ARGUMENT", `The ${option} of an AsyncAPI document must be a non-empty string.`);
}

function parseUrl(url: string | URL): URL {
  if (URL.canParse(String(url))) {
    const parsed = new URL(url);
    if (/^wss?:$/.test(parsed.protocol)) return parsed;
  }
  throw new HubError(
    "ERR_HUB_ARGUMENT",
    'The url of an AsyncAPI document must begin with "ws:" or "wss:", such as "wss://example.com/chat".',
  );
}

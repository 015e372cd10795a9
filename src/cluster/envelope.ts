import { Buffer } from "node:buffer";
import { deserialize, serialize } from "node:v8";
import type { Audience } from "../members/audience.ts";
import type { PresenceControl } from "../members/presence-feed.ts";
import type { Receipt, Repeatable } from "../members/repeats.ts";
import type { OverloadPolicy } from "../delivery/overload.ts";
import { NODE_ID_LENGTH } from "./node-id.ts";

/**
 * The version of the bytes below, which is the first byte of every version. A node that gets another version cannot read
 * it, and says so. Whatever nodes of this version may ignore is added without a new version: further fields, envelopes
 * of further kinds, and controls of further types.
 */
const VERSION = 2;

const FRAMES = 1;
const CONTROL = 2;

const BINARY = 1;

/** The most bytes that the length of an envelope takes. */
const MAX_LENGTH_BYTES = 5;

/** A message encoded for the clients of one codec. */
export interface EncodedMessage {
  /** The subprotocol of the codec; empty for plain clients; `undefined` for all clients, whatever they speak. */
  readonly protocol: string | undefined;
  readonly binary: boolean;
  readonly payload: Uint8Array;
}

/** The sockets that an envelope is for, besides those that its channel names. Absent fields are empty. */
export interface Selection {
  /** Ids of the sockets that are meant. */
  readonly sockets?: readonly string[];
  readonly exceptRooms?: readonly string[];
  readonly exceptSockets?: readonly string[];
  /**
   * All channels of an envelope that is sent to several: each node may get it from some of them. Some may be channels
   * of nodes that do not hear the others yet, and name nobody.
   */
  readonly routes?: readonly string[];
  /** The number of an envelope that is sent to several channels: its publisher uses ever higher numbers. */
  readonly number?: number;
}

/** The fields that make a message a request. */
export interface Asking {
  /** The id by which clients and nodes answer: no other request of any node has it. */
  readonly id: number;
  readonly event: string;
  /** The time that each recipient may take, in milliseconds. */
  readonly timeout: number;
}

/** The manner of delivery of a message. For absent fields, the settings of the receiving hub hold. */
export interface Manner {
  readonly volatile?: true;
  readonly uncompressed?: true;
  readonly policy?: OverloadPolicy;
  readonly key?: string;
  /** The time when it was sent, in milliseconds since 1970; present if it is recorded. */
  readonly time?: number;
}

/** A message for sockets. */
export interface FramesEnvelope {
  readonly kind: "frames";
  readonly selection: Selection;
  readonly manner: Manner;
  /** Present if the message is a request. */
  readonly asking: Asking | undefined;
  readonly messages: readonly EncodedMessage[];
}

/**
 * A request to the programs on other nodes. Each of these nodes answers it with one reply, under its own id: the bytes
 * of the value that its handler has returned, or of the error.
 */
export interface NodeRequest {
  readonly type: "request";
  readonly id: number;
  readonly event: string;
  /** The bytes of the data, see {@link encodeValue}: what a node cannot read fails this request alone. */
  readonly data: Uint8Array;
  /** Ids of the nodes that are asked. Others that hear the request ignore it. */
  readonly nodes: readonly string[];
  /** The time for which the asking node waits for the reply, in milliseconds. */
  readonly timeout: number;
}

/** The failure of a request at one socket. */
export interface Failing {
  readonly code: string;
  readonly message: string;
}

/**
 * The reply of a socket: the message as the client sent it, and the name of its codec. The asking node decodes the
 * message, like the reply of a socket of its own.
 */
export type RawReply = readonly [socket: string, codec: string, message: string | Uint8Array];

/** The answer of one node to the question of another. */
export interface QueryAnswer {
  readonly type: "answer";
  readonly id: number;
  /** Ids of the sockets that were asked. */
  readonly asked?: readonly string[];
  readonly replies?: readonly RawReply[];
  readonly failures?: readonly (readonly [socket: string, failing: Failing])[];
  readonly descriptions?: readonly unknown[];
  /** The rooms of its sockets that the node does not hear, because its engine refuses them. */
  readonly refused?: readonly string[];
  /** `true` if only replies and failures will follow. */
  readonly complete?: true;
  /** `true` if the node failed to answer. */
  readonly failed?: true;
}

/** The answer of a node to a claim; without a receipt, that somebody is handling the request, and another will follow. */
export interface ClaimAnswer {
  readonly type: "claimed";
  readonly id: number;
  readonly receipt: Receipt | undefined;
}

/** A room, and the number of the last event that a node has sent there to be recorded. */
export type RoomNumber = readonly [room: string, number: number];

/** The messages between nodes that are not for sockets. */
export type Control =
  /** A node has started, or is still there; `asks` makes the other nodes send the same. */
  | {
      readonly type: "alive";
      readonly name: string;
      readonly asks: boolean;
      /** `true` if the node answers claims; absent in nodes of releases that do not know them. */
      readonly claims?: true;
      /** Names the rules by which the node records rooms; absent if it records none. */
      readonly rules?: string | undefined;
      /** Names the rules of presence; absent if the node has none. */
      readonly presence?: string | undefined;
    }
  /** An emitter wants to know which nodes are there. */
  | { readonly type: "who" }
  | {
      readonly type: "bye";
      /** The time in which its users come back on other nodes, in milliseconds; absent if it knows of no users. */
      readonly within?: number | undefined;
    }
  | { readonly type: "message"; readonly event: string; readonly data: unknown }
  | {
      readonly type: "join";
      readonly selection: Selection;
      readonly rooms: readonly string[];
      /** The number of the last event that the node had recorded; what it records afterwards is for the new members. */
      readonly sent?: number | undefined;
    }
  | {
      readonly type: "leave";
      readonly selection: Selection;
      readonly rooms: readonly string[];
      /** What the node has sent before to be recorded, and what the members get that are taken out. */
      readonly sent?: readonly RoomNumber[] | undefined;
    }
  | {
      readonly type: "close";
      readonly selection: Selection;
      readonly code: number;
      readonly reason: string;
      readonly sent?: readonly RoomNumber[] | undefined;
    }
  /** Follows a request: each node answers when it has asked its sockets, or has none to ask. */
  | {
      readonly type: "probe";
      readonly id: number;
      readonly routes: readonly string[];
      readonly timeout: number;
      /** `true` if it follows no request: each node answers when it hears all rooms that it has members in now. */
      readonly syncs?: true;
    }
  | {
      readonly type: "describe";
      readonly id: number;
      readonly audience: Audience;
      readonly keys: readonly string[];
    }
  | PresenceControl
  | NodeRequest
  | QueryAnswer
  /** A client has repeated a request that it sent to the other node first. */
  | ({ readonly type: "claim"; readonly id: number } & Repeatable)
  | ClaimAnswer
  /** A request is handled that was new for the other node as well. */
  | ({ readonly type: "handled"; readonly reply: string | Uint8Array | undefined } & Repeatable);

interface ControlEnvelope {
  readonly kind: "control";
  readonly control: Control;
}

/** An envelope that cannot be read, as one of a kind that a later release has added. */
interface UnreadableEnvelope {
  readonly kind: "unreadable";
  /** The byte that tells the kinds apart. */
  readonly tag: number | undefined;
  readonly error: unknown;
}

export type Envelope = FramesEnvelope | ControlEnvelope | UnreadableEnvelope;

/** The envelopes that one node has published to a channel together, in order. */
export interface Bundle {
  /** The id of the node that published the bundle. */
  readonly from: string;
  readonly envelopes: readonly Envelope[];
}

/** Encodes a message for sockets. Its payloads are not changed. */
export function encodeFrames(envelope: Omit<FramesEnvelope, "kind">): Buffer {
  const { selection, manner, asking, messages } = envelope;
  const head = { ...selection, ...manner, ...(asking === undefined ? undefined : { asking }) };
  const json = Object.keys(head).length === 0 ? "" : JSON.stringify(head);
  const parts: Uint8Array[] = [Buffer.of(FRAMES), lengthOf(Buffer.byteLength(json)), Buffer.from(json)];
  parts.push(Buffer.of(messages.length));
  for (const { protocol, binary, payload } of messages) {
    // One more than the length, so that `undefined` and an empty name are told apart.
    const name = Buffer.from(protocol ?? "", "latin1");
    parts.push(Buffer.of(binary ? BINARY : 0), lengthOf(protocol === undefined ? 0 : name.length + 1), name);
    parts.push(lengthOf(payload.byteLength), payload);
  }
  return Buffer.concat(parts);
}

/**
 * Encodes a control. Values keep what structured cloning keeps: dates, maps, bytes.
 *
 * @throws what V8 throws for a value that cannot be cloned, such as a function.
 */
export function encodeControl(control: Control): Buffer {
  return Buffer.concat([Buffer.of(CONTROL), serialize(control)]);
}

/**
 * Encodes a value of the application. It keeps what structured cloning keeps.
 *
 * @throws what V8 throws for a value that cannot be cloned, such as a function.
 */
export function encodeValue(value: unknown): Buffer {
  return serialize(value);
}

/**
 * Decodes a value of the application.
 *
 * @throws what V8 throws for bytes that it cannot read.
 */
export function decodeValue(bytes: Uint8Array): unknown {
  return deserialize(bytes);
}

/** Encodes a bundle of envelopes. */
export function encodeBundle(from: string, envelopes: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.of(VERSION), Buffer.from(from, "latin1")];
  for (const envelope of envelopes) parts.push(lengthOf(envelope.byteLength), envelope);
  return Buffer.concat(parts);
}

/** Returns the size that a bundle of so many envelopes with so many bytes has at most, in bytes. */
export function maxBundleBytesOf(count: number, bytes: number): number {
  return 1 + NODE_ID_LENGTH + MAX_LENGTH_BYTES * count + bytes;
}

/** Returns whether these bytes are of the version that this node reads. */
export function isReadable(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION;
}

/**
 * Returns the id of the node that published a bundle, without decoding the rest.
 *
 * @throws {RangeError} for bytes that are no bundle of this version.
 */
export function publisherOf(bytes: Uint8Array): string {
  if (bytes.byteLength < 1 + NODE_ID_LENGTH || !isReadable(bytes)) {
    throw new RangeError(
      `The envelope has version ${bytes[0]} and ${bytes.byteLength} bytes; version ${VERSION} is understood.`,
    );
  }
  return asBuffer(bytes).toString("latin1", 1, 1 + NODE_ID_LENGTH);
}

/**
 * Decodes a bundle. Payloads are parts of `bytes`. An envelope that cannot be read leaves the others as they are.
 *
 * @throws {RangeError} for bytes that are no bundle of this version.
 */
export function decodeBundle(bytes: Uint8Array): Bundle {
  const from = publisherOf(bytes);
  const reader = new Reader(asBuffer(bytes), 1 + NODE_ID_LENGTH);
  const envelopes: Envelope[] = [];
  while (!reader.atEnd) {
    const bytesOfOne = reader.take(reader.length());
    try {
      envelopes.push(decodeEnvelope(bytesOfOne));
    } catch (error) {
      envelopes.push({ kind: "unreadable", tag: bytesOfOne[0], error });
    }
  }
  return { from, envelopes };
}

function decodeEnvelope(bytes: Buffer): Envelope {
  const reader = new Reader(bytes, 1);
  if (bytes[0] === CONTROL) return { kind: "control", control: deserialize(bytes.subarray(1)) as Control };
  if (bytes[0] !== FRAMES) throw new RangeError(`An envelope of the kind ${bytes[0]} is unknown.`);
  const json = reader.take(reader.length());
  const head = json.length === 0 ? {} : (JSON.parse(json.toString()) as Selection & Manner & { asking?: Asking });
  const count = reader.byte();
  const messages: EncodedMessage[] = [];
  for (let index = 0; index < count; index++) {
    const binary = (reader.byte() & BINARY) !== 0;
    const nameLength = reader.length();
    const protocol = nameLength === 0 ? undefined : reader.take(nameLength - 1).toString("latin1");
    messages.push({ protocol, binary, payload: reader.take(reader.length()) });
  }
  return {
    kind: "frames",
    selection: head,
    manner: head,
    asking: "asking" in head ? head.asking : undefined,
    messages,
  };
}

/** Encodes a length as LEB128 does: seven bits a byte, the lowest first. */
function lengthOf(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  length(): number {
    let length = 0;
    for (let shift = 0; shift < 32; shift += 7) {
      const byte = this.byte();
      length += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return length;
    }
    throw new RangeError("A length in the envelope does not end.");
  }

  take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new RangeError(`The envelope ends ${end - this.#bytes.length} bytes early.`);
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

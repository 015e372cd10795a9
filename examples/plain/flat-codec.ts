import type { Codec, EventPacket, Packet } from "roomcast";

/**
 * Flat objects on the wire, `{"type": "chat", "user": "Lan", "message": "hi"}`: the event's name and its data side by
 * side, as hand-written servers speak.
 *
 * Three things have no place in that shape, and are errors for whoever sends them: data that is not a plain object, a
 * field of its own that is called `type`, and requests. The room of an event is left out.
 *
 * @param notJson - what a client is told whose message is not JSON.
 */
export function flatCodec(notJson = "The message is not valid JSON."): Codec {
  return {
    encode(packet: Packet): string {
      if (!("event" in packet) || packet.id !== undefined) {
        throw new TypeError("the flat shape has no ids, so it carries neither requests nor replies.");
      }
      return JSON.stringify({ type: nameOf(packet), ...fieldsOf(packet) });
    },

    decode(message: string | Uint8Array): EventPacket {
      const value = parse(message, notJson);
      if (!isPlainObject(value) || typeof value["type"] !== "string" || value["type"] === "") {
        throw new TypeError('A message must be an object with a non-empty string "type".');
      }
      // Rest copies a field named `__proto__` as the ordinary field that JSON.parse made of it; nothing is inherited.
      const { type, ...data } = value;
      return { event: type, data };
    },
  };
}

/** A hand-written server calls it plainly an error. */
function nameOf({ event }: EventPacket): string {
  return event === "hub:error" ? "error" : event;
}

function fieldsOf({ event, data = {} }: EventPacket): object {
  if (!isPlainObject(data)) throw new TypeError("the flat shape carries the fields of a plain object.");
  if (Object.hasOwn(data, "type")) throw new TypeError('the flat shape keeps the field "type" for the event\'s name.');
  // The error's code has no place in `{"type": "error", "message": …}`.
  return event === "hub:error" ? { message: data["message"] } : data;
}

/** Clients that send binary frames mean the same text: whoever writes `JSON.parse(message)` for `ws` takes both. */
function parse(message: string | Uint8Array, notJson: string): unknown {
  try {
    return JSON.parse(typeof message === "string" ? message : new TextDecoder().decode(message));
  } catch {
    throw new SyntaxError(notJson);
  }
}

/** Not arrays, and not `Date`, `Map` and the like, whose contents are not fields. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

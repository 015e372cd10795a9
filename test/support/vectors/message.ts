import { decode, encode } from "./messagepack.ts";
import { bytesOf, hexOf, notationOf, valueOf, type Known } from "./notation.ts";
import type { WireStep } from "./vectors.ts";

/** Whether a connection with this subprotocol speaks MessagePack. */
function speaksMessagePack(subprotocol: string): boolean {
  return subprotocol === "roomcast.v1.msgpack";
}

/** The message of a step: text as a string, binary as bytes, and text that is not UTF-8 as bytes, too. */
export function messageOf(step: WireStep, subprotocol: string, known: Known): string | Uint8Array {
  if ("text" in step) return typeof step.text === "string" ? step.text : bytesOf(step.text.$bytes);
  if ("binary" in step) return bytesOf(step.binary);
  if (!("packet" in step)) throw new Error(`${JSON.stringify(step)} is no message.`);
  const packet = valueOf(step.packet, known);
  return speaksMessagePack(subprotocol) ? encode(packet) : JSON.stringify(packet);
}

/** The step that a message is. */
export function stepOf(from: "client" | "server", message: string | Uint8Array, subprotocol: string): WireStep {
  const packet = packetIn(message, subprotocol);
  if (packet !== undefined) return { from, packet: notationOf(packet) };
  return typeof message === "string" ? { from, text: message } : { from, binary: hexOf(message) };
}

/** An object with a string `event` or an integer `reply`, if the message is one. */
function packetIn(message: string | Uint8Array, subprotocol: string): object | undefined {
  try {
    const isBinary = typeof message !== "string";
    if (isBinary !== speaksMessagePack(subprotocol)) return undefined;
    const value = (isBinary ? decode(message) : JSON.parse(message)) as { event?: unknown; reply?: unknown } | null;
    return typeof value?.event === "string" || Number.isSafeInteger(value?.reply) ? (value as object) : undefined;
  } catch {
    return undefined;
  }
}

import { Indices, MAX_DEPTH } from "./indices.ts";
import { PacketError } from "./packet.ts";

/**
 * Returns about how many bytes JSON takes in memory once it is parsed and copied once, without parsing it. What is no
 * JSON has some weight, too.
 *
 * @param message - UTF-8.
 * @throws {PacketError} for arrays and objects that are nested more than 512 deep.
 *
 * @example A codec of your own that parses JSON:
 * const codec: Codec = { ...jsonCodec, encode, decode, weight: jsonWeight };
 */
export function jsonWeight(message: Uint8Array): number {
  const end = message.length;
  let weight = 2 * end;
  let depth = 0;
  // The string that ended last, which is a key if a colon follows.
  let keyStart = 0;
  let keyEnd = 0;
  for (let at = 0; at < end; at++) {
    const byte = message[at] as number;
    // Most bytes outside strings are parts of numbers.
    if (byte > COMMA && byte < COLON) continue;
    switch (byte) {
      case QUOTE:
        keyStart = at + 1;
        at = endOfString(message, keyStart);
        keyEnd = at;
        break;
      case COMMA:
        weight += 24;
        break;
      case COLON:
        weight += 104;
        indices.add(depth, message, keyStart, keyEnd);
        break;
      case BRACE:
      case BRACKET:
        weight += byte === BRACE ? 80 : 64;
        if (++depth > MAX_DEPTH) throw new PacketError(`The message is nested more than ${MAX_DEPTH} deep.`);
        indices.open(depth);
        break;
      case CLOSING_BRACE:
        weight += indices.weight(depth);
        if (depth > 0) depth--;
        break;
      case CLOSING_BRACKET:
        if (depth > 0) depth--;
        break;
    }
  }
  return weight;
}

/** Returns the place of the quote that ends a string, or the length of the message if there is none. */
function endOfString(message: Uint8Array, start: number): number {
  const end = message.length;
  let near = start + NEAR;
  for (let at = start; at < end; at++) {
    const byte = message[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
    if (at < near) continue;
    // A long string is searched by the engine, up to its next quote.
    const quote = message.indexOf(QUOTE, at + 1);
    if (quote < 0) return end;
    let escape = quote;
    while (escape > at + 1 && message[escape - 1] === BACKSLASH) escape--;
    if ((quote - escape) % 2 === 0) return quote;
    at = quote;
    near = at + NEAR;
  }
  return end;
}

/** Shared by all messages, because each is weighed at one go. */
const indices: Indices = new Indices();

/** Number of bytes within which the end of a string is looked for byte by byte. */
const NEAR = 24;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

import { bodyLength } from "../envelope.ts";
import type { Dialect } from "../peers/peer.ts";
import { STAMP_LENGTH } from "../stamp.ts";

/** What chats are made of, so that compression finds in a message what it would find there; nothing that JSON escapes. */
const WORDS =
  "a and are at but can do for get go good have he how I if in is it just know like me my no not of ok on one see she so " +
  "that the then there they think this time to today tomorrow want was we well what when will with would yes you your";
const VOCABULARY: readonly string[] = WORDS.split(" ");

/** The generator of Park and Miller: the same text in every run. */
const MULTIPLIER = 48_271;
const MODULUS = 2_147_483_647;

/**
 * What comes before the stamp in the body of a message, so that the message has `size` bytes.
 *
 * @throws where not even the stamp would fit.
 */
export function padding(size: number, dialect: Dialect, rooms: readonly string[]): string {
  const room = rooms.length === 1 ? rooms[0] : undefined;
  return text(bodyLength(dialect, room, size) - STAMP_LENGTH);
}

function text(length: number): string {
  const words: string[] = [];
  let state = 1;
  for (let written = 0; written < length;) {
    state = (state * MULTIPLIER) % MODULUS;
    const word = VOCABULARY[state % VOCABULARY.length] ?? "";
    words.push(word);
    written += word.length + 1;
  }
  return words.join(" ").slice(0, length).padEnd(length);
}

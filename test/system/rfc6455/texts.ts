import { Buffer } from "node:buffer";
import { Opcode } from "../../../src/testing/raw-frame.ts";
import { readText } from "../../support/markdown.ts";
import { Random } from "../../support/random.ts";

/** Something that is sent in pieces. */
export interface Source {
  readonly opcode: number;
  /** A piece of this length; the pieces follow each other, and begin again at the end. */
  piece(index: number, length: number): Buffer;
}

const LENGTH = 200_000;

const random = new Random(1);

const RECORDS: readonly (readonly [string, string | number])[] = Array.from({ length: 6_000 }, (_, index) => [
  random.pick(["größe", "température", "κόσμος", "name", "count"]),
  random.chance(0.5) ? random.between(0, 1_000_000) : `value ${index}`,
]);

/** Text, cut between characters, so that a piece may have more bytes than its length says. */
function textSource(text: string): Source {
  return { opcode: Opcode.text, piece: (index, length) => Buffer.from(pieceOf(text, index, length)) };
}

function binarySource(bytes: Buffer): Source {
  const text = bytes.toString("latin1");
  return { opcode: Opcode.binary, piece: (index, length) => Buffer.from(pieceOf(text, index, length), "latin1") };
}

function pieceOf(text: string, index: number, length: number): string {
  const start = (index * length) % text.length;
  return (text.slice(start, start + length) + text).slice(0, length);
}

/** Bytes of a picture with soft changes of grey and a little noise. */
function picture(): Buffer {
  return Buffer.from(
    Array.from({ length: LENGTH }, (_, index) => 128 + 100 * Math.sin(index / 9_000) + random.between(0, 3)),
  );
}

/** JSON as text, a bitmap, prose as bytes, HTML as text, and bytes that cannot be compressed. */
export const SOURCES: readonly [Source, Source, Source, Source, Source] = [
  textSource(JSON.stringify(RECORDS)),
  binarySource(picture()),
  binarySource(Buffer.from(readText("docs/API.md") + readText("docs/PROTOCOL.md"))),
  textSource(
    RECORDS.map((cells) => `<tr>${cells.map((cell) => `<td class="cell">${cell}</td>`).join("")}</tr>\n`).join(""),
  ),
  binarySource(Buffer.from(Array.from({ length: LENGTH }, () => random.between(0, 255)))),
];

import { Buffer } from "node:buffer";

/** A text, valid or not. */
export interface Sequence {
  readonly bytes: Buffer;
  readonly isValid: boolean;
}

/** The Greek word "κόσμε", in which characters of two bytes and of three follow each other. */
export const KOSME: Buffer = Buffer.from("cebae1bdb9cf83cebcceb5", "hex");

/** The bytes of a range, each with a space behind it. */
const lonely = (first: number, last: number): string =>
  Buffer.from(Array.from({ length: last - first + 1 }, (_, index) => [first + index, 0x20]).flat()).toString("hex");

const CONTINUATIONS = Buffer.from(Array.from({ length: 63 }, (_, index) => 0x80 + index)).toString("hex");

/** U+0000 in two to six bytes, and the last character of each length, all without their last byte. */
const MISSING_LAST = "c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf";

/** Characters at the end of each plane, U+1FFFE and U+1FFFF to U+10FFFF, which stand for nothing, but are valid. */
const NON_CHARACTERS = Array.from({ length: 16 }, (_, index) =>
  [0xfffe, 0xffff].map((low) => (index + 1) * 0x10000 + low),
)
  .flat()
  .map((point) => Buffer.from(String.fromCodePoint(point)).toString("hex"))
  .join(" ");

/** The subsections 6.5 to 6.23, in hexadecimal; what is not valid UTF-8 begins with "!". */
const SUBSECTIONS: readonly string[] = [
  // 5: text with characters of one to four bytes
  ["$", "\u00a2", "\u20ac", "\u{24b62}"].map((sign) => Buffer.from(`hello${sign}world`).toString("hex")).join(" ") +
    ` ${KOSME.toString("hex")}`,
  // 6: every prefix of a word
  "!ce ceba !cebae1 !cebae1bd cebae1bdb9 !cebae1bdb9cf cebae1bdb9cf83 !cebae1bdb9cf83ce cebae1bdb9cf83cebc " +
    "!cebae1bdb9cf83cebcce cebae1bdb9cf83cebcceb5",
  // 7 and 8: the first character of each length
  "00 c280 e0a080 f0908080",
  "!f888808080 !fc8480808080",
  // 9 and 10: the last character of each length
  "7f dfbf efbfbf f48fbfbf",
  "!f7bfbfbf !fbbfbfbfbf !fdbfbfbfbfbf",
  // 11: the borders of what is no character
  "ed9fbf ee8080 efbfbd f48fbfbf !f4908080",
  // 12: continuation bytes without a start
  `!80 !bf !80bf !80bf80 !80bf80bf !80bf80bf80 !80bf80bf80bf !${CONTINUATIONS}`,
  // 13: starts without continuation bytes
  `!${lonely(0xc0, 0xde)} !${lonely(0xe0, 0xee)} !${lonely(0xf0, 0xf6)} !${lonely(0xf8, 0xfa)} !${lonely(0xfc, 0xfc)}`,
  // 14 and 15: sequences that lack their last byte, alone and in a row
  MISSING_LAST.replaceAll(/\S+/g, "!$&"),
  `!${MISSING_LAST.replaceAll(" ", "")}`,
  // 16: bytes that never occur
  "!fe !ff !fefeffff",
  // 17 to 19: characters in more bytes than they need
  "!c0af !e080af !f08080af !f8808080af !fc80808080af",
  "!c1bf !e09fbf !f08fbfbf !f887bfbfbf !fc83bfbfbfbf",
  "!c080 !e08080 !f0808080 !f880808080 !fc8080808080",
  // 20 and 21: surrogates, alone and in pairs
  "!eda080 !edadbf !edae80 !edafbf !edb080 !edbe80 !edbfbf",
  "!eda080edb080 !eda080edbfbf !edadbfedb080 !edadbfedbfbf !edae80edb080 !edae80edbfbf !edafbfedb080 !edafbfedbfbf",
  // 22 and 23: what stands for no character, but is valid
  `efbfbe efbfbf ${NON_CHARACTERS}`,
  "efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf",
];

/** The texts of the subsections, by number. */
export const SEQUENCES: readonly (readonly [subsection: number, sequences: readonly Sequence[]])[] = SUBSECTIONS.map(
  (words, index) => [
    index + 5,
    words
      .split(" ")
      .map((word) => ({ bytes: Buffer.from(word.replace("!", ""), "hex"), isValid: !word.startsWith("!") })),
  ],
);

import { Buffer } from "node:buffer";
import { closePayload, Opcode, rawFrame } from "../../../src/testing/raw-frame.ts";
import { Random } from "../../support/random.ts";
import { answered, echo, failed, hear, heard, NORMAL, send, sendApart, sendClose, type Case } from "./case.ts";

const { text, binary, continuation, ping, close } = Opcode;

/** Characters of one to four bytes. */
const CHARACTERS = Buffer.from("a\u00e9\u20ac\u{1d11e}");
const NOT_UTF8 = Buffer.concat([CHARACTERS, Buffer.from([0xed, 0xa0, 0x80]), CHARACTERS]);

/** A message in two fragments, and a ping with as much as a ping may have between them. */
function cutText(name: string, bytes: Buffer, at: number, isValid: boolean): Case {
  const control = Buffer.alloc(125, bytes);
  const steps = [
    send(rawFrame(text, bytes.subarray(0, at), { fin: false }), rawFrame(ping, control)),
    hear(1),
    send(rawFrame(continuation, bytes.subarray(at))),
  ];
  const pong = heard("pong", control);
  return isValid
    ? { name, steps, expected: [pong, heard("text", bytes)], ending: NORMAL }
    : { name, steps, expected: [pong], ending: failed(1007) };
}

/** Text that is cut between all of its bytes, in fragments and in writes. */
const cuts = [
  ...Array.from({ length: CHARACTERS.length + 1 }, (_, at) => cutText(`text cut at ${at}`, CHARACTERS, at, true)),
  ...Array.from({ length: NOT_UTF8.length + 1 }, (_, at) => cutText(`invalid text cut at ${at}`, NOT_UTF8, at, false)),
  ...Array.from({ length: rawFrame(text, CHARACTERS).length - 1 }, (_, index): Case => {
    const frame = rawFrame(text, CHARACTERS);
    return {
      name: `text written up to ${index + 1}`,
      steps: [sendApart(frame.subarray(0, index + 1), frame.subarray(index + 1))],
      expected: [heard("text", CHARACTERS)],
      ending: NORMAL,
    };
  }),
];

/** Messages that are followed by the close frame at once, as by a client that wants nothing more but the answers. */
const farewells = [1, 10].map((count): Case => ({
  name: `${count} messages and a close frame in one write`,
  steps: [
    sendClose(...Array.from({ length: count }, () => rawFrame(text, CHARACTERS)), rawFrame(close, closePayload(1000))),
  ],
  expected: Array.from({ length: count }, () => heard("text", CHARACTERS)),
  ending: answered([1000]),
}));

/** Bytes that cannot be compressed but by what lies in the window: each comes again, ever farther behind. */
function repetitive(): Buffer {
  const random = new Random(1);
  const bytes = Buffer.from(Array.from({ length: 6_000 }, () => random.between(0, 255)));
  const parts = [100, 300, 700, 1_500, 3_000, 6_000].flatMap((length) => [
    bytes.subarray(0, length),
    bytes.subarray(0, 60),
  ]);
  return Buffer.concat(parts);
}

const TAKEOVERS = [
  "",
  "server_no_context_takeover",
  "client_no_context_takeover",
  "server_no_context_takeover; client_no_context_takeover",
];
const SERVER_WINDOWS = ["", ...[8, 9, 10, 12, 15].map((bits) => `server_max_window_bits=${bits}`)];
const CLIENT_WINDOWS = [
  "",
  "client_max_window_bits",
  ...[8, 9, 10, 12, 15].map((bits) => `client_max_window_bits=${bits}`),
];

/** Every form of an offer of permessage-deflate, and messages that its windows matter to. */
const offers = TAKEOVERS.flatMap((takeover) =>
  SERVER_WINDOWS.flatMap((server) =>
    CLIENT_WINDOWS.map((client) => {
      const offer = ["permessage-deflate", takeover, server, client].filter((part) => part !== "").join("; ");
      const bytes = repetitive();
      return echo(offer, binary, () => [bytes, bytes, bytes.subarray(0, 20), bytes], { offer, fragment: 1_000 });
    }),
  ),
);

/** What the list of the suite leaves out. */
export const FURTHER_CASES: readonly Case[] = [...cuts, ...farewells, ...offers];

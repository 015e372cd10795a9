import { Buffer } from "node:buffer";
import { closePayload, Opcode, rawFragments, rawFrame } from "../../../src/testing/raw-frame.ts";
import {
  answered,
  echo,
  failed,
  hear,
  heard,
  listen,
  NORMAL,
  send,
  sendApart,
  sendChopped,
  sendClose,
  type Case,
  type Ending,
  type Step,
} from "./case.ts";
import { SOURCES, type Source } from "./texts.ts";
import { KOSME, SEQUENCES } from "./utf-8.ts";

const { text, binary, continuation, ping, pong, close } = Opcode;

const KIB = 1024;
const MIB = 1024 * KIB;

/** The messages of each case of 9.7, 9.8, 12 and 13: the list says 1,000. */
const WANTED = Number(process.env["RFC6455_MESSAGES"] ?? 100);

/** Large messages are fewer, unless their number was asked for. */
const messagesOf = (length: number): number =>
  process.env["RFC6455_MESSAGES"] === undefined
    ? Math.min(WANTED, Math.max(4, Math.ceil((256 * KIB) / (length + 1))))
    : WANTED;

const HELLO = "Hello, world!";
const BYTES = Buffer.from("00fffefdfcfb00ff", "hex");
const [ONE, TWO, THREE, FOUR, FIVE] = ["fragment1", "fragment2", "fragment3", "fragment4", "fragment5"] as const;
const NOTHING = "non-continuation payload";

const first = (payload: string | Uint8Array, opcode: number = text): Buffer =>
  rawFrame(opcode, payload, { fin: false });
const next = (payload: string | Uint8Array): Buffer => rawFrame(continuation, payload, { fin: false });
const last = (payload: string | Uint8Array): Buffer => rawFrame(continuation, payload);
const closing = (code: number, reason?: string | Uint8Array): Buffer => rawFrame(close, closePayload(code, reason));

/** A message of this length of the repeated bytes. */
const fill = (length: number, bytes: string | Uint8Array) => (): Buffer[] => [Buffer.alloc(length, bytes)];

/** How frames are written. */
type How = (...frames: readonly Buffer[]) => Step;

const of =
  (steps: Step | readonly Step[], expected: Case["expected"], ending: Ending, lenient?: Case["expected"]) =>
  (name: string): Case => ({
    name,
    steps: [steps].flat(),
    expected,
    ending,
    ...(lenient !== undefined && { lenient }),
  });

/** Numbers the cases of a section. */
const section = (name: string, cases: readonly ((name: string) => Case)[]): readonly Case[] =>
  cases.map((make, index) => make(`${name}.${index + 1}`));

const breach = (steps: Step): ((name: string) => Case) => of(steps, [], failed(1002));

/** A message, and then a breach of the protocol and a ping, which is not answered. */
const echoThenBreach = (how: How, frame: Buffer): ((name: string) => Case) => {
  const [message, rest] = [rawFrame(text, HELLO), [frame, rawFrame(ping)]];
  // Where not all comes at once, the breach waits: how fast a server reads is no part of the case.
  const steps = how === send ? [how(message, ...rest)] : [how(message), hear(1), how(...rest)];
  return of(steps, [heard("text", HELLO)], failed(1002), []);
};

const byteByByte: How = (...frames) => sendChopped(1, ...frames);

// 1: messages of every form of length

const LENGTHS = [0, 125, 126, 127, 128, 65_535, 65_536];

const framing = [text, binary].flatMap((opcode) => {
  const byte = opcode === text ? "*" : Buffer.from([0xfe]);
  return section(`1.${opcode}`, [
    ...LENGTHS.map((length) => (name: string) => echo(name, opcode, fill(length, byte))),
    (name) => echo(name, opcode, fill(65_536, byte), { chop: 997 }),
  ]);
});

// 2: pings and pongs

const TEN = Array.from({ length: 10 }, (_, index) => `payload-${index}`);
const pings = TEN.map((payload) => rawFrame(ping, payload));
const pongs = TEN.map((payload) => heard("pong", payload));
const LONG = Buffer.alloc(125, 0xfe);
const unsolicited = rawFrame(pong, "unsolicited pong payload");

const pinging = section("2", [
  of(send(rawFrame(ping)), [heard("pong")], NORMAL),
  of(send(rawFrame(ping, HELLO)), [heard("pong", HELLO)], NORMAL),
  of(send(rawFrame(ping, BYTES)), [heard("pong", BYTES)], NORMAL),
  of(send(rawFrame(ping, LONG)), [heard("pong", LONG)], NORMAL),
  breach(send(rawFrame(ping, Buffer.alloc(126, 0xfe)))),
  of(sendChopped(1, rawFrame(ping, LONG)), [heard("pong", LONG)], NORMAL),
  of(sendClose(rawFrame(pong), closing(1000)), [], answered([1000])),
  of(sendClose(unsolicited, closing(1000)), [], answered([1000])),
  of(send(unsolicited, rawFrame(ping, "ping payload")), [heard("pong", "ping payload")], NORMAL),
  of(send(...pings), pongs, NORMAL),
  of(sendChopped(1, ...pings), pongs, NORMAL),
]);

// 3: reserved bits

const reserved = section("3", [
  breach(send(rawFrame(text, HELLO, { reserved: 1 }))),
  echoThenBreach(send, rawFrame(text, HELLO, { reserved: 2 })),
  echoThenBreach(sendApart, rawFrame(text, HELLO, { reserved: 3 })),
  echoThenBreach(byteByByte, rawFrame(text, HELLO, { reserved: 4 })),
  breach(send(rawFrame(binary, BYTES, { reserved: 5 }))),
  breach(send(rawFrame(ping, HELLO, { reserved: 6 }))),
  breach(send(rawFrame(close, "", { reserved: 7 }))),
]);

// 4: reserved opcodes, of data frames from 3 and of control frames from 11

const opcodes = [3, 11].flatMap((opcode, index) =>
  section(`4.${index + 1}`, [
    breach(send(rawFrame(opcode))),
    breach(send(rawFrame(opcode + 1, "reserved opcode payload"))),
    echoThenBreach(send, rawFrame(opcode + 2)),
    echoThenBreach(send, rawFrame(opcode + 3, HELLO)),
    echoThenBreach(byteByByte, rawFrame(opcode + 4, HELLO)),
  ]),
);

// 5: fragments

const HOWS = [send, sendApart, byteByByte];

/** Fragments with pings between them, the second part when the first ping has been answered. */
const interleaved = (how: How): ((name: string) => Case) =>
  of(
    [
      how(first(ONE), next(TWO), rawFrame(ping, "pongme 1!")),
      hear(1),
      how(next(THREE), next(FOUR), rawFrame(ping, "pongme 2!"), last(FIVE)),
    ],
    [heard("pong", "pongme 1!"), heard("pong", "pongme 2!"), heard("text", ONE + TWO + THREE + FOUR + FIVE)],
    NORMAL,
  );

const fragmentation = section("5", [
  breach(send(first(ONE, ping), last(TWO))),
  breach(send(first(ONE, pong), last(TWO))),
  ...HOWS.map((how) => of(how(first(ONE), last(TWO)), [heard("text", ONE + TWO)], NORMAL)),
  ...HOWS.map((how) =>
    of(
      how(first(ONE), rawFrame(ping, "ping payload"), last(TWO)),
      [heard("pong", "ping payload"), heard("text", ONE + TWO)],
      NORMAL,
    ),
  ),
  ...HOWS.map((how) => breach(how(last(NOTHING), rawFrame(text, HELLO)))),
  ...HOWS.map((how) => breach(how(next(NOTHING), rawFrame(text, HELLO)))),
  of(send(first(ONE), last(TWO), next(THREE), rawFrame(text, FOUR)), [heard("text", ONE + TWO)], failed(1002), []),
  breach(send(next(ONE), first(TWO), last(THREE), next(ONE), first(TWO), last(THREE))),
  breach(send(last(ONE), first(TWO), last(THREE), last(ONE), first(TWO), last(THREE))),
  breach(send(first(ONE), rawFrame(text, TWO))),
  interleaved(send),
  interleaved(sendApart),
]);

// 6: UTF-8

const GREETING = Buffer.from("Hello-µ@ßöäüàá-UTF-8!!");
const TAIL = Buffer.from("edited");
/** Invalid at its 13th byte, as U+110000 would be. */
const INVALID = Buffer.concat([KOSME, Buffer.from("f4908080", "hex"), TAIL]);
const SURROGATE = Buffer.concat([KOSME, Buffer.from("eda080", "hex"), TAIL]);

/** How long the client waits for a server that fails as early as it can, in milliseconds. */
const EARLY = 100;

const silence = heard("silence");

/** Sends three parts, the second of which is invalid. RFC 6455 allows to wait for the end of the message. */
const failFast = (parts: readonly [Buffer, Buffer, Buffer]): ((name: string) => Case) =>
  of([send(parts[0]), listen(EARLY), send(parts[1]), listen(EARLY), send(parts[2])], [silence], failed(1007), [
    silence,
    silence,
  ]);

const inFrames = (one: number, two: number): ((name: string) => Case) =>
  failFast([first(INVALID.subarray(0, one)), next(INVALID.subarray(one, two)), last(INVALID.subarray(two))]);

const inChops = (one: number, two: number): ((name: string) => Case) => {
  const frame = rawFrame(text, INVALID);
  const start = frame.length - INVALID.length;
  return failFast([
    frame.subarray(0, start + one),
    frame.subarray(start + one, start + two),
    frame.subarray(start + two),
  ]);
};

const utf8 = [
  ...section("6.1", [
    of(send(rawFrame(text)), [heard("text")], NORMAL),
    of(send(first(""), next(""), last("")), [heard("text")], NORMAL),
    of(send(first(""), next("middle frame payload"), last("")), [heard("text", "middle frame payload")], NORMAL),
  ]),
  ...section("6.2", [
    of(send(rawFrame(text, GREETING)), [heard("text", GREETING)], NORMAL),
    of(send(first("Hello-µ@ßöä"), last("üàá-UTF-8!!")), [heard("text", GREETING)], NORMAL),
    of(send(...rawFragments(text, GREETING, 1)), [heard("text", GREETING)], NORMAL),
    of(send(...rawFragments(text, KOSME, 1)), [heard("text", KOSME)], NORMAL),
  ]),
  ...section("6.3", [
    of(send(rawFrame(text, SURROGATE)), [], failed(1007)),
    of(send(...rawFragments(text, SURROGATE, 1)), [], failed(1007)),
  ]),
  ...section("6.4", [inFrames(11, 15), inFrames(12, 13), inChops(11, 15), inChops(12, 13)]),
  ...SEQUENCES.flatMap(([subsection, sequences]) =>
    section(
      `6.${subsection}`,
      sequences.map(({ bytes, isValid }) =>
        isValid
          ? of(send(rawFrame(text, bytes)), [heard("text", bytes)], NORMAL)
          : of(send(rawFrame(text, bytes)), [], failed(1007)),
      ),
    ),
  ),
];

// 7: the closing handshake

const LARGE = Buffer.alloc(256 * KIB, "BAsd7&jh23");

const VALID_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const INVALID_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

const closes = [
  ...section("7.1", [
    of(send(rawFrame(text, HELLO)), [heard("text", HELLO)], NORMAL),
    of(sendClose(closing(1000), rawFrame(close)), [], answered([1000])),
    of(sendClose(closing(1000), rawFrame(ping)), [], answered([1000])),
    of(sendClose(closing(1000), rawFrame(text, HELLO)), [], answered([1000])),
    of(sendClose(first(ONE), closing(1000), last(TWO)), [], answered([1000])),
    of(
      sendClose(rawFrame(text, LARGE), rawFrame(text, HELLO), closing(1000), rawFrame(ping)),
      [heard("text", LARGE), heard("text", HELLO)],
      answered([1000]),
      [],
    ),
  ]),
  ...section("7.3", [
    of(sendClose(rawFrame(close)), [], answered([1000, 1005])),
    of(sendClose(rawFrame(close, "a")), [], answered([1002], false)),
    of(sendClose(closing(1000)), [], answered([1000])),
    of(sendClose(closing(1000, HELLO)), [], answered([1000])),
    of(sendClose(closing(1000, "*".repeat(123))), [], answered([1000])),
    of(sendClose(closing(1000, "*".repeat(124))), [], answered([1002], false)),
  ]),
  ...section("7.5", [of(sendClose(closing(1000, SURROGATE)), [], answered([1002, 1007], false))]),
  ...section(
    "7.7",
    VALID_CODES.map((code) => of(sendClose(closing(code)), [], answered([1000, code]))),
  ),
  ...section(
    "7.9",
    INVALID_CODES.map((code) => of(sendClose(closing(code)), [], answered([1002], false))),
  ),
  // RFC 6455 leaves open what becomes of these.
  ...section(
    "7.13",
    [5000, 65_535].map((code) => of(sendClose(closing(code)), [], answered([1000, 1002, code], false))),
  ),
];

// 9: large messages, by size, by size of fragments and by size of writes, and many messages one after the other

const SIZES = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
const FRAGMENTS = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
const CHOPS = [64, 128, 256, 512, KIB, 2 * KIB];

/** Numbers the cases of a subsection that has one more for binary messages. */
const both = <Value>(
  number: number,
  values: readonly Value[],
  make: (name: string, opcode: number, bytes: Buffer, value: Value) => Case,
): readonly Case[] =>
  [text, binary].flatMap((opcode, index) => {
    const bytes = opcode === text ? Buffer.from("BAsd7&jh23") : Buffer.from("00fe23faf0", "hex");
    return section(
      `9.${number + index}`,
      values.map((value) => (name: string) => make(name, opcode, bytes, value)),
    );
  });

const limits = [
  ...both(1, SIZES, (name, opcode, bytes, size) => echo(name, opcode, fill(size, bytes))),
  ...both(3, FRAGMENTS, (name, opcode, bytes, fragment) => echo(name, opcode, fill(4 * MIB, bytes), { fragment })),
  ...both(5, CHOPS, (name, opcode, bytes, chop) => echo(name, opcode, fill(MIB, bytes), { chop })),
  ...both(7, [0, 16, 64, 256, KIB, 4 * KIB], (name, opcode, bytes, size) =>
    echo(name, opcode, () => Array.from({ length: WANTED }, () => Buffer.alloc(size, bytes))),
  ),
];

// 10: a message in fragments of an odd size

const misc = [echo("10.1.1", text, fill(65_536, "*"), { fragment: 1_300 })];

// 12 and 13: compression, by what is sent and by what is offered; sizes of messages and of their fragments

const MESSAGES: readonly (readonly [length: number, fragment?: number])[] = [
  ...[16, 64, 256, KIB, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB].map((length) => [length] as const),
  ...[8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB].map((length) => [length, 256] as const),
  ...[KIB, 4 * KIB, 32 * KIB].map((fragment) => [128 * KIB, fragment] as const),
];

const OFFER = "permessage-deflate; client_no_context_takeover; client_max_window_bits";
const OFFERS = [
  OFFER,
  `${OFFER}; server_no_context_takeover`,
  `${OFFER}; server_max_window_bits=9`,
  `${OFFER}; server_max_window_bits=15`,
  `${OFFER}; server_no_context_takeover; server_max_window_bits=9`,
  `${OFFER}; server_no_context_takeover; server_max_window_bits=15`,
  [
    `${OFFER}; server_no_context_takeover; server_max_window_bits=9`,
    `${OFFER}; server_no_context_takeover`,
    OFFER,
  ].join(", "),
];

const compressed = (name: string, source: Source, offer: string): readonly Case[] =>
  section(
    name,
    MESSAGES.map(([length, fragment]) => (number: string) => {
      const payloads = (): Buffer[] =>
        Array.from({ length: messagesOf(length) }, (_, index) => source.piece(index, length));
      return echo(number, source.opcode, payloads, { offer, ...(fragment !== undefined && { fragment }) });
    }),
  );

const compression = [
  ...SOURCES.flatMap((source, index) => compressed(`12.${index + 1}`, source, OFFER)),
  ...OFFERS.flatMap((offer, index) => compressed(`13.${index + 1}`, SOURCES[0], offer)),
];

/** The cases of the Autobahn test suite, under its numbers, by section. */
export const SECTIONS: readonly (readonly Case[])[] = [
  framing,
  pinging,
  reserved,
  opcodes,
  fragmentation,
  utf8,
  closes,
  limits,
  misc,
  compression,
];

import { Buffer } from "node:buffer";
import { Opcode } from "../../../src/testing/raw-frame.ts";
import { bytesOf, goodDraft } from "./bytes/request.ts";
import { frame } from "./frames/frame.ts";
import { Peer } from "./peer.ts";

/** How often a slow client writes one byte more, in milliseconds. */
const DRIP_INTERVAL = 100;

/** A client that begins something, takes its time, and never finishes. */
export interface Loris {
  readonly name: string;
  /** All of it at once. */
  readonly begun: Buffer;
  /** The rest, byte by byte, for as long as the server lets it. */
  readonly dripped: Buffer;
  /** How that has to end. */
  readonly end: string;
}

const REQUEST = bytesOf(goodDraft());

const UPGRADE_OFFER = goodDraft();
UPGRADE_OFFER.lines.push("Sec-WebSocket-Protocol: roomcast.v1.json");

const ENDLESS = Buffer.from(`X-Endless: ${"x".repeat(2_000)}`);

export const LORISES: readonly Loris[] = [
  { name: "nothing at all", begun: Buffer.alloc(0), dripped: Buffer.alloc(0), end: "no upgrade" },
  { name: "half a request", begun: REQUEST.subarray(0, 40), dripped: Buffer.alloc(0), end: "no upgrade" },
  { name: "a request byte by byte", begun: REQUEST.subarray(0, -2), dripped: ENDLESS, end: "no upgrade" },
  { name: "no hello", begun: bytesOf(UPGRADE_OFFER), dripped: Buffer.alloc(0), end: "close 4102" },
  {
    name: "half a frame",
    begun: Buffer.concat([REQUEST, frame(Opcode.text, "x".repeat(60_000)).subarray(0, 20)]),
    dripped: Buffer.alloc(0),
    end: "close 4201",
  },
];

/** Resolves with how the server has put an end to it. */
export async function endOfLoris({ begun, dripped }: Loris, port: number): Promise<string> {
  const peer = await Peer.connect(port);
  await peer.write([begun]);
  let written = 0;
  const dripping = setInterval(() => {
    if (peer.end !== undefined) return;
    void peer.write([dripped.subarray(written, (written += 1))]);
  }, DRIP_INTERVAL);
  try {
    await peer.until(({ closeCode }) => closeCode !== undefined, "The end of a slow client");
  } finally {
    clearInterval(dripping);
    peer.release();
  }
  const { closeCode, statuses } = peer.transcript;
  return statuses.includes(101) ? `close ${closeCode}` : "no upgrade";
}

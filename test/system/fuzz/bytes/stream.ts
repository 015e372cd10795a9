import { Buffer } from "node:buffer";
import type { Random } from "../../../support/random.ts";
import { mutated, noise } from "../pieces.ts";
import { badDraft, bytesOf } from "./request.ts";

/** What a client says before it is upgraded, if ever. */
export interface Stream {
  readonly bytes: Buffer;
  /** How many requests, or attempts at one, it holds. */
  readonly inputs: number;
  /** Whether the server has to answer, or to end the connection, before the client does. */
  readonly isWhole: boolean;
}

export function stream(random: Random): Stream {
  const make = random.weighted<(random: Random) => Stream>([
    [12, request],
    [3, pipelined],
    [2, damaged],
    [1, tls],
    [1, garbage],
    [1, http2],
  ]);
  return make(random);
}

function request(random: Random): Stream {
  const draft = badDraft(random);
  return { bytes: bytesOf(draft), inputs: 1, isWhole: draft.isWhole };
}

/** What follows a request that was upgraded is no request, but frames that break every rule. */
function pipelined(random: Random): Stream {
  const drafts = Array.from({ length: random.between(2, 12) }, () => badDraft(random));
  const [first] = drafts;
  if (first !== undefined && random.chance(0.7)) first.lines.splice(1);
  return { bytes: Buffer.concat(drafts.map(bytesOf)), inputs: drafts.length, isWhole: false };
}

function damaged(random: Random): Stream {
  return { bytes: mutated(random, bytesOf(badDraft(random))), inputs: 1, isWhole: false };
}

/** A client that takes the port for one of `wss:`. */
function tls(random: Random): Stream {
  const hello = noise(random, random.between(40, 500));
  const head = Buffer.from([22, 3, 1, hello.length >> 8, hello.length & 255, 1, 0, 0, hello.length & 255, 3, 3]);
  return { bytes: Buffer.concat([head, hello]), inputs: 1, isWhole: false };
}

function garbage(random: Random): Stream {
  return { bytes: noise(random, random.between(0, 2_000)), inputs: 1, isWhole: false };
}

function http2(random: Random): Stream {
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  return { bytes: Buffer.concat([preface, noise(random, random.between(0, 60))]), inputs: 1, isWhole: false };
}

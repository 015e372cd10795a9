import { Buffer } from "node:buffer";
import { Opcode } from "../../../src/testing/raw-frame.ts";
import { pieces, type Cut, type Closer, type Heard, type Peer } from "./peer.ts";

/** Something that a client does. */
export type Step = (peer: Peer) => void | Promise<void>;

/** How a connection has to end. */
export interface Ending {
  /** The end that closes. */
  readonly by: Closer;
  /** The codes that a close frame of the server may have. One without a code is right as well. */
  readonly codes: readonly number[];
  /** Whether the server has to send a close frame. */
  readonly isClean: boolean;
  /** Whether the client closes with 1000 when it has heard what it expects. */
  readonly clientCloses: boolean;
}

/** What a client does, and what it has to see. */
export interface Case {
  /** The number that the case has in the Autobahn test suite, if it is one of that. */
  readonly name: string;
  readonly steps: readonly Step[];
  /** What the client has to hear. */
  readonly expected: readonly Heard[];
  /** What the client may hear instead, because RFC 6455 does not forbid it. */
  readonly lenient?: readonly Heard[];
  readonly ending: Ending;
  /** What the client offers in `Sec-WebSocket-Extensions`. */
  readonly offer?: string;
}

/** The client closes with 1000, and the server answers. */
export const NORMAL: Ending = { by: "client", codes: [1000], isClean: true, clientCloses: true };

/** The server fails the connection. It may leave out the close frame. */
export function failed(code: number): Ending {
  return { by: "server", codes: [code], isClean: false, clientCloses: false };
}

/** The server answers the close frame that is one of the steps. */
export function answered(codes: readonly number[], isClean = true): Ending {
  return { by: "client", codes, isClean, clientCloses: false };
}

export function heard(kind: Heard["kind"], payload: string | Uint8Array = ""): Heard {
  return { kind, payload: Buffer.from(payload as string) };
}

/** Sends frames in one write. */
export function send(...frames: readonly Buffer[]): Step {
  return (peer) => peer.send(...frames);
}

/** Sends each frame in a write of its own. */
export function sendApart(...frames: readonly Buffer[]): Step {
  return (peer) => peer.sendApart(frames);
}

/** Sends frames in writes of this size, in bytes. */
export function sendChopped(size: number, ...frames: readonly Buffer[]): Step {
  return (peer) => peer.sendApart(pieces(Buffer.concat(frames), size));
}

/** Sends frames, one of which is a close frame, in one write. */
export function sendClose(...frames: readonly Buffer[]): Step {
  return (peer) => {
    peer.closing("client");
    peer.send(...frames);
  };
}

/** Waits until so many things were heard. */
export function hear(count: number): Step {
  return (peer) => peer.hears(count);
}

/** Waits for the server to fail the connection, and goes on if it does not. */
export function listen(milliseconds: number): Step {
  return (peer) => peer.listens(milliseconds);
}

/** Sends messages one by one, each when the one before has come back. */
function exchange(opcode: number, payloads: () => Iterable<Buffer>, cut?: Cut): Step {
  const kind = opcode === Opcode.text ? "text" : "binary";
  return async (peer) => {
    for (const payload of payloads()) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what is wanted
      await peer.sendMessage(opcode, payload, cut);
      // oxlint-disable-next-line no-await-in-loop
      await peer.hears(1);
      const [answer] = peer.heard;
      // What is not the echo stays, and is not what the case expects.
      if (answer?.kind !== kind || !answer.payload.equals(payload)) return;
      peer.heard.shift();
    }
  };
}

/** The client sends messages, which come back. */
export function echo(
  name: string,
  opcode: number,
  payloads: () => Iterable<Buffer>,
  { offer, ...cut }: Cut & { readonly offer?: string } = {},
): Case {
  const steps = [exchange(opcode, payloads, cut)];
  return { name, steps, expected: [], ending: NORMAL, ...(offer !== undefined && { offer }) };
}

import { Buffer } from "node:buffer";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { rawRequest, UPGRADE_HEADERS, type RawClient } from "../../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFragments, rawFrame, type RawFrame } from "../../../src/testing/raw-frame.ts";
import { Deflate } from "./deflate.ts";

/** What a client hears of its server, or that it waited in vain. */
export interface Heard {
  readonly kind: "text" | "binary" | "pong" | "silence" | "breach";
  readonly payload: Buffer;
}

/** How a message is cut to pieces. */
export interface Cut {
  /** The size of the fragments, in bytes of payload. Default: one frame. */
  readonly fragment?: number;
  /** The size of the writes, in bytes. Default: one write. */
  readonly chop?: number;
}

/** Who sent the first close frame, or ended TCP. */
export type Closer = "client" | "server";

const KINDS: Readonly<Record<number, Heard["kind"]>> = {
  [Opcode.text]: "text",
  [Opcode.binary]: "binary",
  [Opcode.pong]: "pong",
};

/** The first reserved bit, which marks a compressed message (RFC 7692 section 6). */
const COMPRESSED = 4;

/** A client that keeps to the protocol where its case does not say otherwise, and writes down what it hears. */
export class Peer {
  readonly heard: Heard[] = [];
  /** Resolves when TCP has ended. */
  readonly ended: Promise<void>;
  closer: Closer | undefined;
  /** The server's close frame: its code, or 1005 without one. */
  closeCode: number | undefined;
  /** Whether the connection was cut because it took too long. */
  isCut = false;
  readonly #raw: RawClient;
  readonly #deflate: Deflate | undefined;
  #hasEnded = false;
  #hasClosed = false;
  #fragments: RawFrame[] = [];
  #wake: () => void = () => {};

  /**
   * Makes the handshake.
   *
   * @param offer - the value of `Sec-WebSocket-Extensions`. Default: none.
   * @throws for an answer with which the client must fail the connection.
   */
  static async open(raw: RawClient, offer?: string): Promise<Peer> {
    const extensions = offer === undefined ? {} : { "Sec-WebSocket-Extensions": offer };
    raw.write(rawRequest("/", { ...UPGRADE_HEADERS, ...extensions }));
    const response = await raw.response();
    if (response?.status !== 101) throw new Error(`The server answered ${response?.status} instead of 101.`);
    return new Peer(raw, Deflate.agreed(offer ?? "", response.headers.get("sec-websocket-extensions")));
  }

  private constructor(raw: RawClient, deflate: Deflate | undefined) {
    this.#raw = raw;
    this.#deflate = deflate;
    this.ended = this.#read();
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether compression was agreed on. */
  get isCompressed(): boolean {
    return this.#deflate !== undefined;
  }

  /** Ends the connection because it took too long. */
  cut(): void {
    this.isCut = true;
    this.#raw.vanish();
  }

  /** Sends bytes in one write. */
  send(...bytes: readonly Buffer[]): void {
    this.#raw.write(...bytes);
  }

  /** Sends bytes in writes that the server can read one by one. */
  async sendApart(parts: Iterable<Buffer>): Promise<void> {
    // From the first turn on, there is one for reading between two that write.
    await turn();
    for (const part of parts) {
      if (this.#hasEnded) return;
      this.#raw.write(part);
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what is wanted
      await turn();
    }
  }

  /** Sends a message, compressed if that was agreed on. */
  async sendMessage(opcode: number, payload: Buffer, cut: Cut = {}): Promise<void> {
    const { fragment = Infinity, chop } = cut;
    const data = this.#deflate?.deflate(payload) ?? payload;
    const bytes = Buffer.concat(rawFragments(opcode, data, fragment, this.isCompressed ? COMPRESSED : 0));
    if (chop === undefined) this.send(bytes);
    else await this.sendApart(pieces(bytes, chop));
  }

  /** Sends a close frame with this code. */
  close(code: number): void {
    this.closing("client");
    this.send(rawFrame(Opcode.close, closePayload(code)));
  }

  /** Takes note of the end that closed first. */
  closing(closer: Closer): void {
    this.closer ??= closer;
    if (closer === "client") this.#hasClosed = true;
  }

  /** Resolves when so many things were heard, or TCP has ended. */
  async hears(count: number): Promise<void> {
    if (this.#hasEnded || this.heard.length >= count) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await this.hears(count);
  }

  /** Waits for the server to end TCP, and takes note of the silence if it does not. */
  async listens(milliseconds: number): Promise<void> {
    await Promise.race([this.ended, sleep(milliseconds)]);
    if (!this.#hasEnded) this.heard.push({ kind: "silence", payload: Buffer.alloc(0) });
  }

  async #read(): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one frame after the other
      const frame = await this.#raw.frame();
      if (frame === undefined) break;
      this.#take(frame);
      this.#wake();
    }
    this.#hasEnded = true;
    if (!this.isCut) this.closing("server");
    this.#wake();
    this.#raw.end();
  }

  #take(frame: RawFrame): void {
    const { fin, opcode, reserved, payload } = frame;
    if (opcode >= Opcode.close) {
      if (!fin || reserved !== 0 || payload.length > 125) this.#hear("breach", payload);
      else if (opcode === Opcode.close) this.#takeClose(payload);
      else this.#hear(KINDS[opcode] ?? "breach", payload);
      return;
    }
    const isFirst = this.#fragments.length === 0;
    const mayHave = isFirst && this.isCompressed ? COMPRESSED : 0;
    if (isFirst === (opcode === Opcode.continuation) || (reserved & ~mayHave) !== 0) this.#hear("breach", payload);
    this.#fragments.push(frame);
    if (fin) this.#hearMessage(this.#fragments.splice(0));
  }

  #hearMessage(fragments: readonly RawFrame[]): void {
    const [{ opcode, reserved }] = fragments as [RawFrame];
    const data =
      fragments.length === 1
        ? (fragments[0] as RawFrame).payload
        : Buffer.concat(fragments.map((fragment) => fragment.payload));
    try {
      const payload = reserved === 0 ? data : (this.#deflate as Deflate).inflate(data);
      this.#hear(KINDS[opcode] ?? "breach", payload);
    } catch (error) {
      this.#hear("breach", Buffer.from(String(error)));
    }
  }

  #takeClose(payload: Buffer): void {
    this.closing("server");
    this.closeCode ??= payload.length === 0 ? 1005 : payload.readUInt16BE();
    if (!this.#hasClosed) this.send(rawFrame(Opcode.close, payload.subarray(0, 2)));
    this.#hasClosed = true;
  }

  #hear(kind: Heard["kind"], payload: Buffer): void {
    this.heard.push({ kind, payload });
  }
}

/** Cuts bytes to pieces of this size. */
export function* pieces(bytes: Buffer, size: number): Iterable<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

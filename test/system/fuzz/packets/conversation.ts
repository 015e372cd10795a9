import { Buffer } from "node:buffer";
import { jsonCodec } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { Opcode } from "../../../../src/testing/raw-frame.ts";
import type { ReplyPacket } from "../../../../src/protocol/packet.ts";
import { WireErrorCode } from "../../../../src/protocol/packet.ts";
import type { Random } from "../../../support/random.ts";
import { bytesOf, goodDraft } from "../bytes/request.ts";
import { FENCE, FENCE_ID } from "../fence.ts";
import { frame } from "../frames/frame.ts";
import type { Peer } from "../peer.ts";
import { pieces } from "../pieces.ts";
import type { Script } from "./script.ts";

/** What a client and the server say to each other. */
export class Conversation {
  /** What the server has said so far. */
  readonly packets: unknown[] = [];
  readonly #peer: Peer;
  readonly #script: Script;
  #read = 0;

  constructor(peer: Peer, script: Script) {
    this.#peer = peer;
    this.#script = script;
  }

  /** Whether it has not been ended. */
  get isOpen(): boolean {
    return this.#peer.end === undefined && this.#peer.transcript.closeCode === undefined;
  }

  get isPacked(): boolean {
    return this.#script.protocol === msgpackCodec.protocol;
  }

  /** Says what a client of its kind says first, and waits for what comes of it. */
  async begin(): Promise<void> {
    const { greeting, protocol, user } = this.#script;
    const draft = goodDraft();
    draft.target = `/?as=${user}`;
    if (protocol !== "") draft.lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
    await this.#peer.write([bytesOf(draft)]);
    await this.#peer.until(({ statuses }) => statuses.length > 0, "The upgrade");
    const frames = greeting.map((text) => messageFrame(this.isPacked ? this.#encoded(JSON.parse(text)) : text));
    await this.#peer.write([Buffer.concat(frames)]);
    // Who is refused is told so, or closed at least; who is not gets the welcome.
    await this.#until(() => this.packets.length > 0, "The greeting");
  }

  /** Says everything, and then something whose reply says that it was everything. */
  async play(random: Random): Promise<void> {
    const bytes = Buffer.concat(this.#script.messages.map(messageFrame));
    await this.#peer.write(pieces(random, bytes, random.chance(0.5) ? 1 : 6));
    let isRefused = true;
    while (isRefused && this.isOpen) isRefused = await this.#ask();
  }

  /** Reads what has come since. */
  update(): void {
    const { messages } = this.#peer.transcript;
    for (; this.#read < messages.length; this.#read++) {
      const message = messages[this.#read] ?? "";
      const codec = this.isPacked ? msgpackCodec : jsonCodec;
      const packet = codec.decode(message);
      // The application sends back a part of some messages.
      if (packet !== undefined) this.packets.push(packet);
    }
  }

  /** Sends the fence. Resolves with whether it was refused, because too much is being handled. */
  async #ask(): Promise<boolean> {
    let read = this.packets.length;
    let reply: ReplyPacket | undefined;
    await this.#peer.write([messageFrame(this.isPacked ? this.#encoded(FENCE) : JSON.stringify(FENCE))]);
    await this.#until(() => {
      for (; read < this.packets.length && reply === undefined; read++) {
        const packet = this.packets[read] as ReplyPacket;
        if (packet.reply === FENCE_ID) reply = packet;
      }
      return reply !== undefined;
    }, "The reply to the last request");
    return reply?.error?.code === WireErrorCode.tooManyRequests;
  }

  async #until(isSo: () => boolean, what: string): Promise<void> {
    await this.#peer.until(({ closeCode }) => {
      this.update();
      return closeCode !== undefined || isSo();
    }, what);
  }

  #encoded(packet: unknown): Buffer {
    return Buffer.from(msgpackCodec.encode(packet as never) as Uint8Array);
  }
}

function messageFrame(message: string | Buffer): Buffer {
  return frame(typeof message === "string" ? Opcode.text : Opcode.binary, message);
}

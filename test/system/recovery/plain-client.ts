import { jsonCodec, type Codec, type Packet, type Position } from "roomcast";
import { WebSocket } from "ws";
import type { RecordNotice, Welcome } from "../../../src/protocol/packet.ts";
import { decoded, Participant, type Said } from "./participant.ts";

/** The most time until a client connects again, in milliseconds. */
const MAX_DELAY = 100;

/**
 * The client of section 4.3 of `docs/PROTOCOL.md`, which has all that recovery needs. With a subprotocol, which the server
 * needs to know its codec, it begins with a hello.
 */
export class PlainClient extends Participant {
  readonly #since: Record<string, { stream: string; at: number }> = {};
  /** What waits for a room to be left. */
  readonly #leaving = new Map<string, () => void>();
  /** Whether the server knows its codec. */
  #isReady = false;
  #isOver = false;

  open(): void {
    const { address, codec } = this.parts;
    const protocols = codec === undefined ? [] : [codec.protocol];
    const socket = new WebSocket(address(), protocols, { perMessageDeflate: false });
    this.socket = socket;
    socket.on("open", () => {
      // It may have gone to another node meanwhile.
      if (this.socket !== socket) return;
      if (codec === undefined) this.#begin();
      else this.#send({ event: "hub:hello", data: { protocol: 1 } });
    });
    socket.on("message", (data, isBinary) => {
      if (this.socket === socket) this.#hear(decoded(this.#codec, data, isBinary) as Packet & { at?: number });
    });
    this.watch(socket);
    // The close says all that is to be said.
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.socket === socket) this.#reopen();
    });
  }

  join(room: string): void {
    this.rooms.add(room);
    if (this.#isReady) this.#join(room);
  }

  async leave(room: string): Promise<void> {
    const { index, journal } = this.parts;
    this.rooms.delete(room);
    journal.note({ type: "leaving", client: index, room });
    if (this.#isReady) {
      await new Promise<void>((resolve) => {
        this.#leaving.set(room, resolve);
        this.#send({ event: "hub:leave", id: 1, data: { room } });
      });
    }
    delete this.#since[room];
    journal.note({ type: "left", client: index, room });
  }

  /** Goes to another node, and leaves the server to find out. */
  reload(): void {
    const { socket } = this;
    this.#reopen(0);
    setTimeout(() => socket?.terminate(), MAX_DELAY);
  }

  close(): void {
    this.#isOver = true;
    this.cut();
  }

  get #codec(): Codec {
    return this.parts.codec ?? jsonCodec;
  }

  #reopen(delay: number = Math.random() * MAX_DELAY): void {
    this.socket = undefined;
    this.#isReady = false;
    // Rooms end with their connection.
    this.#left();
    if (!this.#isOver) setTimeout(() => this.#isOver || this.open(), delay);
  }

  #begin(): void {
    this.#isReady = true;
    for (const room of this.rooms) this.#join(room);
  }

  #join(room: string): void {
    this.#send({ event: "hub:join", data: { room, since: this.#since[room] } });
  }

  #left(): void {
    for (const resolve of this.#leaving.values()) resolve();
    this.#leaving.clear();
  }

  #hear(packet: Packet & { readonly at?: number }): void {
    if ("reply" in packet) {
      this.#left();
      return;
    }
    const { at, data, event, room } = packet;
    const { index, journal } = this.parts;
    switch (event) {
      case "hub:welcome": {
        this.sockets.push((data as Welcome).id);
        if (this.parts.codec !== undefined) this.#begin();
        break;
      }
      case "hub:record": {
        const { gap, room: of, stream, at: where } = data as RecordNotice;
        this.#since[of] = { stream, at: where };
        journal.note({ type: "noticed", client: index, room: of, position: { stream, at: where }, gap });
        break;
      }
      case "said": {
        const since: Position | undefined = this.#since[room as string];
        if (since === undefined || at === undefined) {
          journal.note({ type: "failed", what: `client ${index} hears ${JSON.stringify(packet)} without a place` });
          break;
        }
        this.#since[room as string] = { stream: since.stream, at };
        this.heard(room as string, since.stream, at, data as Said);
        break;
      }
      case "hub:bye":
        // The close that follows says the same.
        break;
      default:
        journal.note({ type: "failed", what: `client ${index} hears ${JSON.stringify(packet)}` });
    }
  }

  #send(packet: Packet): void {
    this.socket?.send(this.#codec.encode(packet));
  }
}

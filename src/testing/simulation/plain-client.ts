import { jsonCodec, type Codec } from "../../protocol/codec.ts";
import type { EventPacket, Packet, Position, PresenceNotice, RecordNotice } from "../../protocol/packet.ts";
import type { MemoryWebSocket } from "../../transports/memory/web-socket.ts";
import type { Random } from "../random.ts";
import type { Client, ClientListener, ClientState, Dial } from "./client.ts";

/** The longest time until the client connects again, in milliseconds. */
const LONGEST_WAIT = 1_000;

/** What a plain client is made of. */
interface PlainClientParts {
  readonly url: string;
  readonly dial: Dial;
  readonly listener: ClientListener;
  readonly random: Random;
  /** With a codec the client says hello as a library does, and tells its positions there, too. */
  readonly codec: (Codec & { readonly protocol: string }) | undefined;
  /** The event by which it joins: `hub:join`, or one of the application's. */
  readonly joinEvent: string;
  /** Whether it asks who is present. */
  readonly asksPresence: boolean;
}

/** The client of section 4.3 of `docs/PROTOCOL.md`. */
export class PlainClient implements Client {
  readonly #parts: PlainClientParts;
  readonly #since = new Map<string, Position>();
  readonly #states = new Map<string, ClientState>();
  readonly #asked = new Map<number, string>();
  #socket: MemoryWebSocket | undefined;
  #wanted: string[] = [];
  #isReady = false;
  #ids = 0;

  constructor(parts: PlainClientParts) {
    this.#parts = parts;
  }

  get isConnected(): boolean {
    return this.#isReady;
  }

  stateOf(room: string): ClientState {
    return this.#states.get(room) ?? "out";
  }

  positionOf(room: string): Position | undefined {
    return this.#since.get(room);
  }

  start(): void {
    const { codec, dial, listener, url } = this.#parts;
    if (this.#socket !== undefined) return;
    const socket = dial(url, codec === undefined ? [] : [codec.protocol]);
    this.#socket = socket;
    this.#wanted = [...this.#states].filter(([, state]) => state === "asking" || state === "in").map(([room]) => room);
    for (const [room, state] of this.#states) if (state === "leaving") this.#forget(room);
    this.#states.clear();
    this.#asked.clear();
    listener.connected();
    socket.addEventListener("open", () => {
      if (this.#socket !== socket) return;
      if (codec === undefined) {
        this.#begin();
        return;
      }
      for (const room of this.#since.keys()) listener.claimed(room);
      this.#send({ event: "hub:hello", data: { protocol: 1, since: Object.fromEntries(this.#since) } });
    });
    socket.addEventListener("message", (event) => {
      if (this.#socket !== socket) return;
      const data = (event as MessageEvent).data as string | ArrayBuffer;
      const packet = (codec ?? jsonCodec).decode(typeof data === "string" ? data : new Uint8Array(data));
      if (packet !== undefined) this.#hear(packet as Packet);
    });
    socket.addEventListener("close", () => {
      if (this.#socket === socket) this.#lost();
    });
  }

  cut(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#lost();
    socket.terminate();
  }

  abandon(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#lost();
    socket.pause();
  }

  /** What it keeps in memory is what a page would keep in storage. */
  reload(): void {
    this.cut();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  join(room: string, since: unknown = this.#since.get(room)): void {
    if (!this.#begins(room, "out", "asking")) return;
    if (since !== undefined) this.#parts.listener.claimed(room);
    const { asksPresence, joinEvent } = this.#parts;
    this.#ask(room, joinEvent, { room, since, ...(asksPresence ? { presence: true } : {}) });
  }

  leave(room: string): void {
    if (this.#begins(room, "in", "leaving")) this.#ask(room, "hub:leave", { room });
  }

  #lost(): void {
    this.#socket = undefined;
    this.#isReady = false;
    const { random } = this.#parts;
    // Clients that come back together miss the same.
    setTimeout(() => this.start(), random.pick([5, random.next() * LONGEST_WAIT]));
  }

  #begins(room: string, from: ClientState, to: ClientState): boolean {
    if (!this.#isReady || this.stateOf(room) !== from) return false;
    this.#states.set(room, to);
    return true;
  }

  #ask(room: string, event: string, data: unknown): void {
    const id = ++this.#ids;
    this.#asked.set(id, room);
    this.#send({ event, id, data });
  }

  /** Asks for the rooms that it was in. */
  #begin(): void {
    this.#isReady = true;
    for (const room of this.#wanted.splice(0)) this.join(room);
  }

  #send(packet: Packet): void {
    this.#socket?.send((this.#parts.codec ?? jsonCodec).encode(packet));
  }

  #hear(packet: Packet): void {
    if ("reply" in packet) {
      this.#answered(packet.reply, packet.error !== undefined);
      return;
    }
    const { at, event, data, room }: EventPacket = packet;
    const { listener, codec } = this.#parts;
    if (event === "hub:welcome") {
      if (codec !== undefined) this.#begin();
    } else if (event === "hub:ping") {
      this.#send({ event: "hub:pong" });
    } else if (event === "hub:record") {
      const notice = data as RecordNotice;
      listener.noticed(notice, this.#since.get(notice.room));
      this.#since.set(notice.room, { stream: notice.stream, at: notice.at });
    } else if (event === "hub:presence") {
      listener.presence(data as PresenceNotice);
    } else if (event === "hub:left") {
      this.#forget((data as { readonly room: string }).room);
    } else if (at !== undefined && room !== undefined) {
      const before = this.#since.get(room);
      listener.heard({ at, data, room }, before);
      if (before !== undefined) this.#since.set(room, { ...before, at });
    }
  }

  #answered(id: number, isRefused: boolean): void {
    const room = this.#asked.get(id);
    if (room === undefined) return;
    this.#asked.delete(id);
    const state = this.#states.get(room);
    if (isRefused || state === "leaving") this.#forget(room);
    else if (state === "asking") this.#states.set(room, "in");
  }

  #forget(room: string): void {
    this.#states.set(room, "out");
    this.#since.delete(room);
    this.#parts.listener.left(room);
  }
}

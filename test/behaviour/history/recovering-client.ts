import { jsonCodec, type Codec, type Packet } from "roomcast";
import type { MemoryTransport } from "roomcast/testing";
import type { Position, RecordNotice } from "../../../src/protocol/packet.ts";

/** An event that a client has heard. */
export interface HeardEvent {
  readonly at?: number;
  readonly event: string;
  readonly data?: unknown;
  readonly room?: string;
}

/** What a client hears of a room, in its order. */
export interface RoomListener {
  /** A position begins; `before` is the one that the client had, if any. */
  noticed(notice: RecordNotice, before: Position | undefined): void;
  /** An event of a recorded room came, when the client was at `before`. */
  heard(event: HeardEvent, before: Position | undefined): void;
}

/** Where a client is in its dealings with a room. */
type State = "out" | "asking" | "in" | "leaving";

/**
 * The client of section 4.3 of `docs/PROTOCOL.md`, on a transport in memory, that joins, leaves and goes as it is told. With a
 * codec it is a library client, which tells its positions in its hello, too.
 */
export class RecoveringClient {
  readonly since: Map<string, Position> = new Map<string, Position>();
  readonly states: Map<string, State> = new Map<string, State>();
  readonly #transport: MemoryTransport;
  readonly #url: string;
  readonly #listener: RoomListener;
  readonly #codec: (Codec & { readonly protocol: string }) | undefined;
  readonly #asked = new Map<number, string>();
  #socket: ReturnType<MemoryTransport["connect"]> | undefined;
  #wanted: (() => void)[] = [];
  #isReady = false;
  #ids = 0;

  constructor(
    transport: MemoryTransport,
    url: string,
    listener: RoomListener,
    codec?: Codec & { readonly protocol: string },
  ) {
    this.#codec = codec;
    this.#transport = transport;
    this.#url = url;
    this.#listener = listener;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  /** Connects, and asks for the rooms that it was in. */
  connect(): void {
    const socket = this.#transport.connect(this.#url, {
      protocols: this.#codec === undefined ? [] : [this.#codec.protocol],
    });
    this.#socket = socket;
    const rooms = [...this.states].filter(([, state]) => state === "asking" || state === "in").map(([room]) => room);
    this.states.clear();
    this.#isReady = false;
    this.#asked.clear();
    this.#wanted = rooms.map((room) => () => this.join(room));
    socket.addEventListener("open", () => {
      if (this.#codec === undefined) this.#begin();
      else this.#send({ event: "hub:hello", data: { protocol: 1, since: Object.fromEntries(this.since) } });
    });
    socket.addEventListener("message", (event) => {
      const data = (event as MessageEvent).data as string | ArrayBuffer;
      const message = typeof data === "string" ? data : new Uint8Array(data);
      const packet = (this.#codec ?? jsonCodec).decode(message) as (Packet & HeardEvent) | undefined;
      if (this.#socket === socket && packet !== undefined) this.#hear(packet);
    });
    socket.addEventListener("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#isReady = false;
    });
  }

  /** Breaks the connection. What was under way is lost. */
  cut(): void {
    this.#isReady = false;
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** @param since - what is told in the place of the client's position. */
  join(room: string, since: unknown = this.since.get(room), event = "hub:join"): void {
    if (!this.#begins(room, "out", "asking")) return;
    this.#ask(room, event, { room, since });
  }

  leave(room: string): void {
    if (this.#begins(room, "in", "leaving")) this.#ask(room, "hub:leave", { room });
  }

  #begins(room: string, from: State, to: State): boolean {
    if (!this.#isReady || (this.states.get(room) ?? "out") !== from) return false;
    this.states.set(room, to);
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
    for (const want of this.#wanted.splice(0)) want();
  }

  #send(packet: Packet): void {
    this.#socket?.send((this.#codec ?? jsonCodec).encode(packet));
  }

  #hear(packet: Packet & HeardEvent): void {
    if ("reply" in packet) {
      this.#answered(packet.reply, packet.error !== undefined);
    } else if (packet.event === "hub:welcome") {
      if (this.#codec !== undefined) this.#begin();
    } else if (packet.event === "hub:record") {
      const notice = packet.data as RecordNotice;
      this.#listener.noticed(notice, this.since.get(notice.room));
      this.since.set(notice.room, { stream: notice.stream, at: notice.at });
    } else if (packet.event === "hub:left") {
      this.#forget((packet.data as { readonly room: string }).room);
    } else if (packet.at !== undefined && packet.room !== undefined) {
      const before = this.since.get(packet.room);
      this.#listener.heard(packet, before);
      if (before !== undefined) this.since.set(packet.room, { ...before, at: packet.at });
    }
  }

  #answered(id: number, isRefused: boolean): void {
    const room = this.#asked.get(id);
    if (room === undefined) return;
    this.#asked.delete(id);
    const state = this.states.get(room);
    if (isRefused || state === "leaving") this.#forget(room);
    else if (state === "asking") this.states.set(room, "in");
  }

  #forget(room: string): void {
    this.states.set(room, "out");
    this.since.delete(room);
  }
}

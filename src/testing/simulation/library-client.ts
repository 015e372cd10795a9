import { connect, type Client as Library, type ConnectOptions } from "../../client/index.ts";
import { jsonCodec, type Codec } from "../../protocol/codec.ts";
import {
  isReply,
  type EventPacket,
  type Packet,
  type Position,
  type PresenceNotice,
  type RecordNotice,
} from "../../protocol/packet.ts";
import type { MemoryWebSocket } from "../../transports/memory/web-socket.ts";
import type { Client, ClientListener, ClientState, Dial } from "./client.ts";

interface LibraryClientParts {
  readonly url: string;
  readonly dial: Dial;
  readonly listener: ClientListener;
  readonly codec: (Codec & { readonly protocol: string }) | undefined;
  /** The event of the simulation. */
  readonly event: string;
  /** Whether the server puts it into the rooms, so that it does not ask for them. */
  readonly isPutIn: boolean;
}

/** What came over the wire, and has to reach the application's listeners in the same order. */
type Expected = { readonly room: string } & ({ readonly id: number } | { readonly gap: string });

/** The library's client. What it hears on its connection is what its listeners have to be told. */
export class LibraryClient implements Client {
  readonly #parts: LibraryClientParts;
  readonly #states = new Map<string, ClientState>();
  #expected: Expected[] = [];
  #library: Library | undefined;
  #socket: MemoryWebSocket | undefined;

  constructor(parts: LibraryClientParts) {
    this.#parts = parts;
  }

  get isConnected(): boolean {
    return this.#library?.state === "open";
  }

  stateOf(room: string): ClientState {
    return this.#states.get(room) ?? "out";
  }

  positionOf(room: string): Position | undefined {
    return this.#library?.positions.get(room);
  }

  start(): void {
    const { codec, event, listener, url } = this.#parts;
    const library = connect(`ws://simulation${url}`, {
      WebSocket: this.#webSocketClass(),
      reconnect: { minDelay: 50, maxDelay: 1_000 },
      ...(codec === undefined ? {} : { codec }),
    });
    this.#library = library;
    library.on(event, (data, { room = "" }) => this.#told({ room, id: idOf(data) }));
    library.on("hub:gap", ({ room, reason }) => this.#told({ room, gap: reason }));
    library.on("hub:left", ({ room }) => this.#left(room));
    library.on("hub:error", (error) => {
      // The server may take it out of a room while it asks for it.
      if (error.reason !== "not-joinable") listener.failed(`an error: ${String(error)}`);
    });
  }

  join(room: string): void {
    const state = this.stateOf(room);
    // It may ask again for a room that it is in.
    if (this.#parts.isPutIn || !this.isConnected || state === "asking" || state === "leaving") return;
    if (state === "in") this.#parts.listener.claimed(room);
    this.#move(room, "asking", this.#library?.join(room));
  }

  leave(room: string): void {
    if (!this.isConnected || this.stateOf(room) !== "in") return;
    this.#move(room, "leaving", this.#library?.leave(room));
  }

  cut(): void {
    this.#socket?.terminate();
  }

  abandon(): void {
    this.#socket?.pause();
  }

  reload(): void {
    const before = this.#library;
    if (before === undefined) return;
    const positions = [...before.positions];
    const rooms = [...this.#states].filter(([, state]) => state === "asking" || state === "in").map(([room]) => room);
    for (const [room, state] of this.#states) if (state === "leaving") this.#left(room);
    void before.close();
    this.#socket?.terminate();
    this.#socket = undefined;
    this.#expected = [];
    this.#states.clear();
    this.start();
    for (const [room, position] of positions) {
      if (this.stateOf(room) !== "out") continue;
      this.#library?.positions.set(room, position);
      this.#parts.listener.claimed(room);
    }
    for (const room of rooms) this.#move(room, "asking", this.#library?.join(room));
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #move(room: string, state: ClientState, moved: Promise<void> | undefined): void {
    const library = this.#library;
    this.#states.set(room, state);
    const settled = (isDone: boolean): void => {
      if (this.#library !== library || this.#states.get(room) !== state) return;
      // The server may have taken it out since the answer was decided on.
      const isIn = state === "asking" && isDone && this.positionOf(room) !== undefined;
      if (isIn) this.#states.set(room, "in");
      else this.#left(room);
    };
    moved?.then(
      () => settled(true),
      (error: unknown) => {
        const { reason } = error as { readonly reason?: string };
        // What takes long is not given up: the client goes on to want the room.
        if (state === "leaving" || reason === "not-joinable") settled(false);
        else if (this.#library === library) this.#move(room, "asking", library?.join(room));
      },
    );
  }

  #left(room: string): void {
    this.#states.set(room, "out");
    this.#parts.listener.left(room);
  }

  #told(told: Expected): void {
    const expected = this.#expected.shift();
    if (JSON.stringify(expected) === JSON.stringify(told)) return;
    this.#parts.listener.failed(`told ${JSON.stringify(told)} in the place of ${JSON.stringify(expected)}`);
  }

  #webSocketClass(): NonNullable<ConnectOptions["WebSocket"]> {
    const open = (address: string, protocols: string | readonly string[] = []): MemoryWebSocket => {
      const { pathname, search } = new URL(address);
      const socket = this.#parts.dial(pathname + search, [protocols].flat());
      this.#socket = socket;
      // What was on its way belongs to the connection of before.
      this.#expected = [];
      this.#parts.listener.connected();
      for (const room of this.#library?.positions.keys() ?? []) this.#parts.listener.claimed(room);
      const received = socket.received.bind(socket);
      socket.received = (message) => {
        if (this.#socket === socket) this.#observe(message);
        received(message);
      };
      return Object.assign(socket, { binaryType: "arraybuffer" });
    };
    function WebSocket(address: string, protocols?: string | readonly string[]): MemoryWebSocket {
      return open(address, protocols);
    }
    return WebSocket as unknown as NonNullable<ConnectOptions["WebSocket"]>;
  }

  #observe(message: string | Uint8Array): void {
    const { codec = jsonCodec, listener } = this.#parts;
    const packet = codec.decode(message) as Packet | undefined;
    if (packet === undefined || isReply(packet)) return;
    const { at, event, data, room }: EventPacket = packet;
    if (event === "hub:presence") listener.presence(data as PresenceNotice);
    else if (event === "hub:record") {
      const notice = data as RecordNotice;
      const position = this.positionOf(notice.room);
      // What is on its way when the client leaves still arrives.
      if (this.stateOf(notice.room) !== "leaving") listener.noticed(notice, position);
      if (notice.gap !== undefined) this.#expected.push({ room: notice.room, gap: notice.gap });
    } else if (event === this.#parts.event && room !== undefined) {
      const position = this.positionOf(room);
      const isMeant = this.stateOf(room) !== "leaving" && (position !== undefined || this.stateOf(room) === "in");
      if (at !== undefined && isMeant) listener.heard({ at, data, room }, position);
      this.#expected.push({ room, id: idOf(data) });
    }
  }
}

/** Returns the number of an event. */
function idOf(data: unknown): number {
  return (data as { readonly simulation: number }).simulation;
}

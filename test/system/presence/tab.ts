import type { Packet, PresenceNotice } from "roomcast";
import { jsonCodec } from "roomcast";
import { connect, type Client } from "roomcast/client";
import { presence, type Presence } from "roomcast/client/presence";
import { WebSocket } from "ws";
import { decoded, webSocketTo } from "../recovery/participant.ts";
import type { Program } from "../recovery/program.ts";
import { List, type ListListener } from "./list.ts";

/** The most time until a client connects again, in milliseconds. */
const MAX_DELAY = 100;

/** What a tab needs. */
export interface TabParts {
  readonly user: string;
  readonly rooms: readonly string[];
  /** Whether it is told who is there. */
  readonly watches: boolean;
  /** Returns some node that takes clients. */
  readonly node: () => Program | undefined;
  /** Called when it is in the rooms, or not any more. */
  readonly moved: () => void;
  readonly listener: ListListener;
}

/** A client that goes to another node whenever it has lost its connection. */
export abstract class Tab {
  protected readonly parts: TabParts;
  /** What it is told of who is in each room. */
  protected readonly lists: ReadonlyMap<string, List>;
  /** The node to which it is connected. */
  node: Program | undefined;
  /** Whether it is in the rooms. */
  isIn = false;
  /** Whether it has been closed. */
  isClosed = false;
  #socket: WebSocket | undefined;

  constructor(parts: TabParts) {
    this.parts = parts;
    this.lists = new Map(parts.watches ? parts.rooms.map((room) => [room, new List(parts.listener)]) : []);
  }

  abstract open(): void;

  /** The users that it knows in each room, if it is told; of the library once more. */
  get known(): readonly { readonly room: string; readonly users: ReadonlySet<string> }[] {
    return Array.from(this.lists, ([room, { users }]) => ({ room, users }));
  }

  /** Ends for good. */
  close(): void {
    this.isClosed = true;
    this.cut();
  }

  /** Breaks the connection. */
  cut(): void {
    this.#socket?.terminate();
  }

  /** Returns the address of some node. While there is none, a client tries in vain. */
  protected get address(): string {
    this.node = this.parts.node();
    return `ws+unix:${this.node?.socketPath ?? "/nowhere"}:/?user=${this.parts.user}`;
  }

  /** Follows a connection from its beginning to its end. */
  protected follow(socket: WebSocket, ended: () => void): void {
    this.#socket = socket;
    for (const list of this.lists.values()) list.begin();
    socket.on("message", (data, isBinary) => {
      if (this.#socket !== socket || this.isClosed) return;
      const packet = decoded(jsonCodec, data, isBinary) as Packet & { readonly data?: unknown };
      if ("reply" in packet) this.#move(packet.error === undefined);
      else if (packet.event === "hub:presence") this.#hear(packet.data as PresenceNotice);
      else if (packet.event === "hub:error") this.parts.listener.failed(JSON.stringify(packet));
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#move(false);
      ended();
    });
  }

  #move(isIn: boolean): void {
    this.isIn = isIn;
    this.parts.moved();
  }

  #hear(notice: PresenceNotice): void {
    const list = this.lists.get(notice.room);
    if (list === undefined) this.parts.listener.failed(`A client is told of ${notice.room}, and has not asked.`);
    else list.take(notice);
  }
}

/** A client as in `docs/PROTOCOL.md`, which asks who is there. */
export class PlainTab extends Tab {
  open(): void {
    const { rooms, watches } = this.parts;
    const socket = new WebSocket(this.address, { perMessageDeflate: false });
    socket.on("open", () => {
      socket.send(JSON.stringify({ event: "hub:join", id: 1, data: { rooms, ...(watches && { presence: true }) } }));
    });
    this.follow(socket, () => {
      if (this.isClosed) return;
      setTimeout(() => this.isClosed || this.open(), Math.random() * MAX_DELAY);
    });
  }
}

/** A client with the library, and its maps of who is there. */
export class LibraryTab extends Tab {
  readonly #maps = new Map<string, Presence>();
  #client: Client | undefined;

  open(): void {
    const { listener, rooms, watches } = this.parts;
    const client = connect("ws://anywhere", {
      WebSocket: webSocketTo(
        () => this.address,
        (socket) => this.follow(socket, () => {}),
      ),
      codec: jsonCodec,
      reconnect: { minDelay: 5, maxDelay: MAX_DELAY, stableAfter: 0 },
    });
    this.#client = client;
    for (const room of watches ? rooms : []) {
      const users = presence(client, room);
      this.#maps.set(room, users);
      users.on("change", ({ went }) => {
        for (const user of went) listener.left(user);
        if (users.size !== users.count) listener.failed(`the library knows ${users.size} users of ${users.count}`);
      });
    }
    client.join(...rooms).catch(() => {});
  }

  override get known(): readonly { readonly room: string; readonly users: ReadonlySet<string> }[] {
    return [...super.known, ...Array.from(this.#maps, ([room, users]) => ({ room, users: new Set(users.keys()) }))];
  }

  override close(): void {
    void this.#client?.close();
    super.close();
  }
}

import { connect, type Client, type Position } from "roomcast/client";
import type { WebSocket } from "ws";
import type { Packet } from "roomcast";
import type { RecordNotice, Welcome } from "../../../src/protocol/packet.ts";
import { decoded, Participant, webSocketTo, type Said, type WireCodec } from "./participant.ts";

/** A client with the library: what its listeners hear is what counts. */
export class LibraryClient extends Participant {
  #client: Client | undefined;

  open(): void {
    this.#begin([]);
  }

  join(room: string): void {
    this.rooms.add(room);
    if (this.#client !== undefined) void this.#join(this.#client, room);
  }

  async leave(room: string): Promise<void> {
    const { index, journal } = this.parts;
    this.rooms.delete(room);
    journal.note({ type: "leaving", client: index, room });
    // Without a connection it is out of the room already.
    await this.#client?.leave(room).catch(() => {});
    journal.note({ type: "left", client: index, room });
  }

  reload(): void {
    const positions = [...(this.#client?.positions ?? [])];
    this.close();
    this.#begin(positions);
  }

  close(): void {
    const client = this.#client;
    this.#client = undefined;
    void client?.close();
    // A close takes a while, which a page that is loaded again does not have.
    this.cut();
  }

  #begin(positions: readonly (readonly [string, Position])[]): void {
    const { address, codec, index, journal } = this.parts;
    const client = connect("ws://anywhere", {
      WebSocket: this.#webSocket(address, codec as WireCodec),
      codec,
      reconnect: { minDelay: 5, maxDelay: 100, stableAfter: 0 },
    });
    this.#client = client;
    for (const [room, position] of positions) client.positions.set(room, position);
    client.on("said", (data: Said, { room = "" }: { readonly room: string | undefined }) => {
      // What comes while it leaves a room has no position any more.
      if (this.#client !== client || !this.rooms.has(room)) return;
      const { stream, at } = client.positions.get(room) as Position;
      this.heard(room, stream, at, data);
    });
    client.on("hub:gap", ({ room, reason }) => {
      const { stream, at } = client.positions.get(room) as Position;
      journal.note({ type: "noticed", client: index, room, position: { stream, at }, gap: reason });
    });
    client.on("hub:error", (error) => {
      journal.note({ type: "failed", what: `client ${index}: ${error.message}` });
    });
    for (const room of this.rooms) void this.#join(client, room);
  }

  async #join(client: Client, room: string): Promise<void> {
    try {
      await client.join(room);
    } catch {
      // It goes on asking for the room, or was told to leave it or to close.
    }
  }

  /** Returns a class whose objects connect to some node, and from which the positions are taken that the library keeps. */
  #webSocket(address: () => string, codec: WireCodec): typeof WebSocket {
    const noticed = (packet: Packet & { readonly event?: string; readonly data?: unknown }): void => {
      if (packet.event === "hub:welcome") this.sockets.push((packet.data as Welcome).id);
      if (packet.event !== "hub:record") return;
      const { room, stream, at, gap } = packet.data as RecordNotice;
      // Of gaps, the library has to tell.
      if (gap !== undefined) return;
      this.parts.journal.note({ type: "noticed", client: this.index, room, position: { stream, at } });
    };
    return webSocketTo(address, (socket) => {
      this.socket = socket;
      this.watch(socket);
      socket.on("message", (data, isBinary) => {
        if (this.socket === socket) noticed(decoded(codec, data, isBinary) as Packet);
      });
    });
  }
}

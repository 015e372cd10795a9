import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { decodeSaid, encodeEvent } from "./events.ts";
import { FrameReader, textFrame } from "./floor-frames.ts";
import { close, createHttpServer, listen } from "./http.ts";
import { identifyByUrl } from "./identity.ts";
import type { Application, Peer, PeerServer } from "./peer.ts";
import { Rooms } from "./rooms.ts";

/** RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CLOSE = 8;

/**
 * The least that Node.js has to do: what a room is sent in a turn is joined once, and written to the socket of each
 * member with one call. No library, no limits, no errors but those that end a connection. No unions: there, what members
 * are sent differs, and the least is not so plain.
 */
export const floor: Peer = {
  dialect: "websocket",
  settings: {
    library: "none",
    sending: "socket.write(shared buffer), once for each member and turn",
    compression: "none",
  },
  start: startFloor,
};

async function startFloor(application: Application): Promise<PeerServer> {
  if (application.compression) throw new Error("The floor does not compress.");
  const rooms = new Rooms<Socket>();
  const turns = new Map<string, RoomTurn>();
  const server = createHttpServer(application);

  const flush = (): void => {
    for (const [room, turn] of turns) turn.write(rooms.members(room));
    turns.clear();
  };
  const send = (room: string, body: string, sender?: Socket): void => {
    let turn = turns.get(room);
    if (turn === undefined) {
      if (turns.size === 0) setImmediate(flush);
      turn = new RoomTurn();
      turns.set(room, turn);
    }
    turn.add(textFrame(encodeEvent(room, body)), sender);
  };

  server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
    const identity = identifyByUrl(request.url);
    const [home] = identity.rooms;
    const reader = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      for (const { opcode, payload } of reader.read(chunk)) {
        if (opcode === CLOSE) socket.end();
        else if (home !== undefined) send(home, decodeSaid(payload.toString()), socket);
      }
    });
    socket.on("close", () => rooms.remove(identity, socket));
    // A client that is cut off: `close` follows.
    socket.on("error", () => {});
    socket.write(acceptance(request.headers["sec-websocket-key"] ?? ""));
    rooms.enter(identity, socket);
  });
  return {
    port: await listen(server),
    publish: send,
    join: (client, room) => rooms.join(client, room),
    leave: (client, room) => rooms.leave(client, room),
    close: () => close(server),
  };
}

/** What one room is sent in one turn. */
class RoomTurn {
  readonly #frames: Buffer[] = [];
  readonly #senders: (Socket | undefined)[] = [];

  add(frame: Buffer, sender: Socket | undefined): void {
    this.#frames.push(frame);
    this.#senders.push(sender);
  }

  write(members: Iterable<Socket>): void {
    const shared = Buffer.concat(this.#frames);
    const senders = new Set(this.#senders);
    for (const socket of members) {
      if (!senders.has(socket)) socket.write(shared);
      else socket.write(Buffer.concat(this.#frames.filter((_, index) => this.#senders[index] !== socket)));
    }
  }
}

function acceptance(key: string): string {
  const accept = createHash("sha1")
    .update(key + GUID)
    .digest("base64");
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
    "\r\n",
  ].join("\r\n");
}

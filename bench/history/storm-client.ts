import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { constants, inflateRawSync } from "node:zlib";
import { CLOSE, clientFrame, TEXT } from "../receivers/client-frame.ts";
import { FrameWalker, type FrameHandler } from "../receivers/frame-walker.ts";
import { checkUpgrade, upgradeRequest } from "../receivers/upgrade.ts";

/** All connections read into the same memory: nothing of it is needed after the callback. */
const shared: Buffer = Buffer.allocUnsafeSlow(256 * 1024);

const END_OF_HEAD = "\r\n\r\n";
const END_OF_DEFLATED: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** How a recorded event begins. What follows is its position and, somewhere, the number of its room. */
const EVENT = '{"at":';
const ROOM = '"room":"r';

const RECORD = '{"event":"hub:record","data":';
const REPLY = '{"reply":';

/** Where a client is in a room. */
interface Position {
  readonly stream: string;
  at: number;
}

/** How a client talks to the server. */
export interface StormPlan {
  readonly port: number;
  readonly compression: boolean;
  /** A loopback address: one has too few ports for very many connections. */
  readonly from: string;
}

/** What a client asks for when it is connected. */
export interface Wish {
  /** The letter of the rooms, which their numbers follow; absent to join none. */
  readonly letter?: "r" | "o";
  /** Number of messages that it has missed in each of its rooms. */
  readonly missed: number;
}

/** A client on a bare TCP socket, which keeps its positions over connections and checks that it gets what it has missed. */
export class StormClient implements FrameHandler {
  readonly #id: number;
  readonly #rooms: readonly number[];
  readonly #positions = new Map<number, Position>();
  #socket: Socket | undefined;
  /** Number of messages and replies that have yet to come. */
  #due = 0;
  #caughtUp: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(id: number, rooms: readonly number[]) {
    this.#id = id;
    this.#rooms = rooms;
  }

  /** Resolves when the connection is open; `caughtUp` when the client is in its rooms and has what it missed. */
  async connect(plan: StormPlan, { letter, missed }: Wish): Promise<{ readonly caughtUp: Promise<void> }> {
    const caughtUp = new Promise<void>((resolve, reject) => {
      this.#caughtUp = resolve;
      this.#fail = reject;
    });
    caughtUp.catch(() => {});
    this.#due = letter === undefined ? 0 : this.#rooms.length * (1 + missed);
    await Promise.race([this.#open(plan), caughtUp]);
    if (letter === undefined) this.#caughtUp();
    else for (const room of this.#rooms) this.#join(letter, room);
    return { caughtUp };
  }

  /** Loses the connection, without a word. */
  lose(): void {
    this.#fail = () => {};
    this.#socket?.resetAndDestroy();
  }

  message(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString("latin1", start, end);
    if (text.startsWith(EVENT)) this.#take(text);
    else if (text.startsWith(REPLY)) this.#count();
    else if (text.startsWith(RECORD)) this.#begin(text);
    else this.#fail(new Error(`The server sent ${text}`));
  }

  compressed(payload: Buffer): void {
    const options = { finishFlush: constants.Z_SYNC_FLUSH };
    const message = inflateRawSync(Buffer.concat([payload, END_OF_DEFLATED]), options);
    this.message(message, 0, message.length);
  }

  ping(): void {
    this.#fail(new Error("The server sent a ping."));
  }

  close(): void {
    this.#socket?.end(clientFrame(CLOSE, Buffer.alloc(0)));
    this.#fail(new Error("The server closed the connection."));
  }

  malformed(): void {
    this.#fail(new Error("The server sent a malformed frame."));
  }

  #open({ port, compression, from }: StormPlan): Promise<void> {
    return new Promise((resolve) => {
      const walker = new FrameWalker(this);
      walker.whole = true;
      let head: Buffer | undefined = Buffer.alloc(0);
      const greet = (length: number): void => {
        head = Buffer.concat([head as Buffer, shared.subarray(0, length)]);
        const end = head.indexOf(END_OF_HEAD);
        if (end === -1) return;
        const answer = head;
        head = undefined;
        try {
          checkUpgrade(answer.toString("latin1", 0, end), compression);
        } catch (error) {
          this.#fail(error as Error);
          return;
        }
        resolve();
        walker.walk(answer, end + END_OF_HEAD.length, answer.length);
      };
      const socket = connect({
        host: "127.0.0.1",
        port,
        localAddress: from,
        noDelay: true,
        onread: {
          buffer: shared,
          callback: (length) => {
            if (head === undefined) walker.walk(shared, 0, length);
            else greet(length);
            return true;
          },
        },
      });
      socket.on("error", (error) => this.#fail(error));
      socket.on("close", () => this.#fail(new Error("The server ended the connection.")));
      const client = { id: this.#id, rooms: [], streams: [] };
      socket.write(
        upgradeRequest(client, {
          port,
          dialect: "websocket",
          clients: [client],
          concurrency: 1,
          from: [from],
          compression,
        }),
      );
      this.#socket = socket;
    });
  }

  #join(letter: string, room: number): void {
    const since = letter === "r" ? this.#positions.get(room) : undefined;
    const join = { event: "hub:join", id: room, data: { room: `${letter}${room}`, since } };
    this.#socket?.write(clientFrame(TEXT, Buffer.from(JSON.stringify(join))));
  }

  #begin(text: string): void {
    const { data } = JSON.parse(text) as { data: { room: string; stream: string; at: number; gap?: string } };
    const { room, stream, at, gap } = data;
    if (gap === undefined) this.#positions.set(Number(room.slice(1)), { stream, at });
    else this.#fail(new Error(`A client was told of a gap: ${gap}.`));
  }

  #take(text: string): void {
    const at = Number.parseInt(text.slice(EVENT.length, EVENT.length + 16), 10);
    const room = text.indexOf(ROOM) + ROOM.length;
    const position = this.#positions.get(Number.parseInt(text.slice(room, room + 4), 10));
    if (position === undefined || at !== position.at + 1) {
      this.#fail(new Error(`A client at ${position?.at} was sent ${text}`));
      return;
    }
    position.at = at;
    this.#count();
  }

  #count(): void {
    this.#due--;
    if (this.#due === 0) this.#caughtUp();
    else if (this.#due < 0) this.#fail(new Error("A client was sent more than it had missed."));
  }
}

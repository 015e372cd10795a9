import { createServer, type IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { closePayload, rawFrame, Opcode } from "../../../../src/testing/raw-frame.ts";
import type { Connection, TransportHandlers } from "../../../../src/transports/transport.ts";
import { ws } from "../../../../src/transports/ws/index.ts";
import { onTestFinished } from "vitest";
import { NarrowStream } from "./narrow-stream.ts";

/** A frame as the client reads it: the opcode, and of a message the length, of a control frame the payload. */
export type Seen = readonly [opcode: number, what: string];

/** A connection of the transport whose client takes what a test lets it take, and the hub's side of it. */
export class NarrowFixture {
  readonly stream: NarrowStream;
  connection!: Connection;
  /** What the hub was told, without drains. */
  readonly told: string[] = [];
  drains = 0;
  /** Called when the client ends the connection and something can be sent. */
  ending: () => void = () => {};
  readonly seen: Seen[] = [];
  /** Whether the client has read the end of the stream. */
  #unread: Buffer = Buffer.alloc(0);

  /** @param room - the number of bytes that the operating system takes without a reader. */
  constructor(room: number, options: { readonly isLate?: boolean; readonly maxBufferedBytes?: number } = {}) {
    this.stream = new NarrowStream(room, options);
    const server = createServer();
    const transport = ws({ server });
    const note = (what: string): void => void this.told.push(what);
    const handlers: TransportHandlers = {
      upgrade: () => ({ accept: true, protocol: "", context: undefined }),
      open: (connection) => {
        this.connection = connection;
      },
      message: (_, data) => note(`message ${data.toString()}`),
      ping: () => note("ping"),
      pong: () => note("pong"),
      drain: () => this.drains++,
      overflow: () => note("overflow"),
      ending: () => this.ending(),
      close: (_, code) => note(`close ${code}`),
      gone: () => note("gone"),
      error: (error) => {
        throw error;
      },
    };
    transport.start(handlers, {
      path: undefined,
      maxMessageBytes: 1024 * 1024,
      maxBufferedBytes: options.maxBufferedBytes ?? 64 * 1024 * 1024,
      compression: false,
      handshakeTimeout: 10_000,
      maxConnections: undefined,
    });
    onTestFinished(() => void this.stream.destroy());
    const request = Object.assign(new PassThrough(), {
      rawHeaders: Object.entries(UPGRADE_HEADERS).flat(),
      method: "GET",
      url: "/",
      headers: Object.fromEntries(Object.entries(UPGRADE_HEADERS).map(([name, value]) => [name.toLowerCase(), value])),
    });
    server.emit("upgrade", request as unknown as IncomingMessage, this.stream, Buffer.alloc(0));
    const answer = this.stream.clientReads(4096);
    if (!answer.toString("latin1").startsWith("HTTP/1.1 101 ")) throw new Error(answer.toString());
  }

  /** The client sends a frame. */
  send(opcode: number, payload: string | Uint8Array = "", reserved = 0): void {
    this.stream.push(rawFrame(opcode, payload, { reserved }));
  }

  sendClose(code: number): void {
    this.send(Opcode.close, closePayload(code));
  }

  /** The client reads, and notes the frames that are whole now. */
  read(most: number): number {
    const bytes = this.stream.clientReads(most);
    if (bytes.length > 0) this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#frame());
    return bytes.length;
  }

  /** The client reads until nothing more comes. */
  async readAll(): Promise<void> {
    for (let idle = 0; idle < 5;) {
      idle = this.read(Number.POSITIVE_INFINITY) === 0 ? idle + 1 : 0;
      await turn();
    }
  }

  /** Whether the client has read a part of a frame, and nothing more. */
  get isTorn(): boolean {
    return this.#unread.length > 0;
  }

  #frame(): boolean {
    const [first = 0, short = 0] = this.#unread;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#unread.length < header) return false;
    const length =
      short < 126 ? short : short === 126 ? this.#unread.readUInt16BE(2) : Number(this.#unread.readBigUInt64BE(2));
    if (this.#unread.length < header + length) return false;
    const payload = this.#unread.subarray(header, header + length);
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0 || (first & 0x80) === 0) throw new Error(`The first byte of a frame is ${first}.`);
    this.seen.push([opcode, whatOf(opcode, payload)]);
    this.#unread = this.#unread.subarray(header + length);
    return true;
  }
}

function whatOf(opcode: number, payload: Buffer): string {
  if (opcode === Opcode.close) return payload.length === 0 ? "1005" : String(payload.readUInt16BE());
  if (opcode === Opcode.ping || opcode === Opcode.pong) return payload.toString();
  return describeMessage(payload);
}

/** Describes a message by its length and its first and last byte. */
export function describeMessage(payload: Uint8Array): string {
  return `${payload.length}: ${payload[0]} ${payload.at(-1)}`;
}

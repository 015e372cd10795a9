import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createConnection, type Socket as TcpSocket } from "node:net";
import { rawFrame, Opcode } from "../../../src/testing/raw-frame.ts";
import { rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";

/** How much of each message is kept: its beginning tells which it is. */
const KEPT = 64;

/** A packet, and the first number in its data. */
export interface Heard {
  readonly event: string;
  readonly number: number;
}

/** A client that reads frames as fast as they come, and keeps only what each begins with. */
export class Reader {
  /** All that has come so far. */
  readonly heard: Heard[] = [];
  readonly #tcp: TcpSocket;
  #unread: Buffer = Buffer.alloc(0);
  #skip = 0;
  #wake: () => void = () => {};
  #ended = false;

  static async connect(port: number, path: string): Promise<Reader> {
    const tcp = createConnection({ port, host: "127.0.0.1", noDelay: true });
    await once(tcp, "connect");
    tcp.write(rawRequest(path, UPGRADE_HEADERS));
    const [head] = (await once(tcp, "data")) as [Buffer];
    const end = head.indexOf("\r\n\r\n");
    if (!head.toString("latin1").startsWith("HTTP/1.1 101") || end === -1) throw new Error(head.toString());
    const reader = new Reader(tcp);
    reader.#take(head.subarray(end + 4));
    return reader;
  }

  private constructor(tcp: TcpSocket) {
    this.#tcp = tcp;
    tcp.on("data", (chunk) => this.#take(chunk));
    tcp.on("error", () => {});
    tcp.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The numbers of this event so far. */
  numbers(event: string): readonly number[] {
    return this.heard.filter((heard) => heard.event === event).map(({ number }) => number);
  }

  /** Resolves when this event has come with this number; rejects when the connection has ended before. */
  async until(event: string, number: number): Promise<void> {
    while (!this.heard.some((heard) => heard.event === event && heard.number === number)) {
      if (this.#ended) throw new Error(`The connection has ended before ${event} ${number}.`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  say(packet: object): void {
    this.#tcp.write(rawFrame(Opcode.text, JSON.stringify(packet)));
  }

  stall(): void {
    this.#tcp.pause();
  }

  resume(): void {
    this.#tcp.resume();
  }

  vanish(): void {
    this.#tcp.resetAndDestroy();
  }

  #take(chunk: Buffer): void {
    const skipped = Math.min(this.#skip, chunk.length);
    this.#skip -= skipped;
    let rest =
      skipped === 0 && this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk.subarray(skipped);
    for (;;) {
      const short = (rest[1] ?? 0) & 0x7f;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < header) break;
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < header + Math.min(length, KEPT)) break;
      this.#hear(rest.toString("latin1", header, header + Math.min(length, KEPT)));
      this.#skip = Math.max(header + length - rest.length, 0);
      rest = rest.subarray(header + length);
    }
    this.#unread = Buffer.from(rest);
    this.#wake();
  }

  #hear(beginning: string): void {
    const [, event, number] = /^\{"event":"([^"]+)".*?"data":\D*(\d+)/.exec(beginning) ?? [];
    if (event !== undefined) this.heard.push({ event, number: Number(number) });
  }
}

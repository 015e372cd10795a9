import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createConnection, type Socket as TcpSocket } from "node:net";
import type { RawFrame } from "./raw-frame.ts";

/** The answer to an HTTP request. */
export interface RawResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The headers that make a request an upgrade, but for the name of the host. */
export const UPGRADE_HEADERS: Readonly<Record<string, string>> = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/**
 * A client that does nothing by itself: it sends the bytes that it is given, whether they make sense or not, and never
 * answers a ping or a close.
 */
export class RawClient {
  readonly #tcp: TcpSocket;
  #unread: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  static async connect(port: number, host = "127.0.0.1"): Promise<RawClient> {
    const tcp = createConnection({ port, host, allowHalfOpen: true, noDelay: true });
    await once(tcp, "connect");
    return new RawClient(tcp);
  }

  constructor(tcp: TcpSocket) {
    this.#tcp = tcp;
    tcp.on("data", (chunk) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#wake();
    });
    tcp.on("end", this.#end).on("close", this.#end);
    // A reset is an end as good as any other here.
    tcp.on("error", this.#end);
  }

  write(...bytes: readonly Uint8Array[]): void {
    this.#tcp.write(Buffer.concat(bytes));
  }

  /** The server's next frame, whatever it is; `undefined` when the server has ended the connection. */
  async frame(): Promise<RawFrame | undefined> {
    const [first, second] = (await this.#take(2)) ?? [];
    if (first === undefined || second === undefined) return undefined;
    const payload = await this.#take(await this.#length(second & 0x7f));
    return payload && { fin: (first & 0x80) !== 0, opcode: first & 0x0f, payload };
  }

  /** The server's answer to a request; `undefined` when it has ended the connection without one. */
  async response(): Promise<RawResponse | undefined> {
    const head = await this.#takeHead();
    if (head === undefined) return undefined;
    const [statusLine = "", ...lines] = head.split("\r\n");
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const body = await this.#take(Number(headers.get("content-length") ?? 0));
    return { status: Number(statusLine.split(" ", 2)[1]), headers, body: body?.toString() ?? "" };
  }

  /** Half-closes: sends FIN and goes on reading. */
  end(): void {
    this.#tcp.end();
  }

  /** Sends a reset. */
  vanish(): void {
    this.#tcp.resetAndDestroy();
  }

  async #length(short: number): Promise<number> {
    if (short < 126) return short;
    const bytes = await this.#take(short === 126 ? 2 : 8);
    return Number(`0x${bytes?.toString("hex") ?? "0"}`);
  }

  async #takeHead(): Promise<string | undefined> {
    const end = this.#unread.indexOf("\r\n\r\n");
    if (end !== -1) return (await this.#take(end + 4))?.toString().trimEnd();
    return (await this.#more()) ? this.#takeHead() : undefined;
  }

  async #take(count: number): Promise<Buffer | undefined> {
    if (this.#unread.length >= count) {
      const taken = this.#unread.subarray(0, count);
      this.#unread = this.#unread.subarray(count);
      return taken;
    }
    return (await this.#more()) ? this.#take(count) : undefined;
  }

  /** Whether something more has come. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const { length } = this.#unread;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return this.#unread.length > length;
  }

  readonly #end = (): void => {
    this.#ended = true;
    this.#wake();
  };
}

/** The bytes of a GET request with these headers; one that is an array is sent as often as it has items. */
export function rawRequest(path: string, headers: Readonly<Record<string, string | readonly string[]>>): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((item) => `${name}: ${item}\r\n`),
  );
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join("")}\r\n`);
}

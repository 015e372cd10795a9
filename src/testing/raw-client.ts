import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createConnection, type Socket as TcpSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { RawFrame } from "./raw-frame.ts";

/** The server's answer to an HTTP request. */
export interface RawResponse {
  readonly status: number;
  /** The headers, with names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** The headers that make a request a WebSocket upgrade, without `Host`. */
export const UPGRADE_HEADERS: Readonly<Record<string, string>> = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/**
 * A client that sends the bytes that a test gives it, valid or not. It does nothing by itself: it never answers a ping
 * or a close.
 */
export class RawClient {
  /** The stream that frames are written to: the TCP socket, or TLS over that. */
  readonly #stream: TcpSocket;
  readonly #tcp: TcpSocket;
  /** What was read and not taken yet. It is joined only when a frame is complete, because that may take many reads. */
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  #ended = false;
  #wake: () => void = () => {};

  /** Opens a TCP connection. */
  static async connect(port: number, host = "127.0.0.1"): Promise<RawClient> {
    return new RawClient(await connectTcp(port, host));
  }

  /** Opens a TCP connection and TLS over it, whatever the server's certificate. */
  static async connectSecurely(port: number, host = "127.0.0.1"): Promise<RawClient> {
    const tcp = await connectTcp(port, host);
    const stream = connectTls({ socket: tcp, rejectUnauthorized: false });
    await once(stream, "secureConnect");
    return new RawClient(tcp, stream);
  }

  /** @param stream - the TLS over the TCP socket. Default: there is none. */
  constructor(tcp: TcpSocket, stream: TcpSocket = tcp) {
    this.#tcp = tcp;
    this.#stream = stream;
    stream.on("data", (chunk) => {
      this.#unread.push(chunk);
      this.#unreadBytes += chunk.length;
      this.#wake();
    });
    stream.on("end", this.#end).on("close", this.#end);
    // A reset is treated like any other end.
    stream.on("error", this.#end);
  }

  /** Sends bytes. */
  write(...bytes: readonly Uint8Array[]): void {
    this.#stream.write(Buffer.concat(bytes));
  }

  /**
   * Waits for the server's next frame of any kind. The result is `undefined` once the server has ended the connection.
   */
  async frame(): Promise<RawFrame | undefined> {
    const [first, second] = (await this.#take(2)) ?? [];
    if (first === undefined || second === undefined) return undefined;
    const payload = await this.#take(await this.#length(second & 0x7f));
    return payload && { fin: (first & 0x80) !== 0, reserved: (first >> 4) & 7, opcode: first & 0x0f, payload };
  }

  /**
   * Waits for the server's answer to a request. The result is `undefined` if the server ends the connection without
   * one.
   */
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

  /** Half-closes the connection: sends FIN and goes on reading. */
  end(): void {
    this.#stream.end();
  }

  /** Breaks the connection with a reset. */
  vanish(): void {
    this.#tcp.resetAndDestroy();
  }

  async #length(short: number): Promise<number> {
    if (short < 126) return short;
    const bytes = await this.#take(short === 126 ? 2 : 8);
    return Number(`0x${bytes?.toString("hex") ?? "0"}`);
  }

  async #takeHead(): Promise<string | undefined> {
    const end = this.#joined().indexOf("\r\n\r\n");
    if (end !== -1) return (await this.#take(end + 4))?.toString().trimEnd();
    return (await this.#more()) ? this.#takeHead() : undefined;
  }

  async #take(count: number): Promise<Buffer | undefined> {
    if (this.#unreadBytes >= count) {
      const unread = this.#joined();
      this.#unread = [unread.subarray(count)];
      this.#unreadBytes -= count;
      return unread.subarray(0, count);
    }
    return (await this.#more()) ? this.#take(count) : undefined;
  }

  #joined(): Buffer {
    const [first] = this.#unread;
    if (first !== undefined && this.#unread.length === 1) return first;
    const joined = Buffer.concat(this.#unread);
    this.#unread = [joined];
    return joined;
  }

  /** Waits for more bytes. The result is `false` if the connection ended instead. */
  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const before = this.#unreadBytes;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return this.#unreadBytes > before;
  }

  readonly #end = (): void => {
    this.#ended = true;
    this.#wake();
  };
}

async function connectTcp(port: number, host: string): Promise<TcpSocket> {
  const tcp = createConnection({ port, host, allowHalfOpen: true, noDelay: true });
  await once(tcp, "connect");
  return tcp;
}

/** Writes a GET request. A header whose value is an array is repeated for each item. */
export function rawRequest(path: string, headers: Readonly<Record<string, string | readonly string[]>>): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value].flat().map((item) => `${name}: ${item}\r\n`),
  );
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join("")}\r\n`);
}

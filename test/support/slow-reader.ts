import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectTcp, type Socket as TcpSocket } from "node:net";
import { connect as connectTls } from "node:tls";
import { constants, inflateRawSync } from "node:zlib";
import type { ListenOptions } from "roomcast";
import { rawRequest, UPGRADE_HEADERS } from "../../src/testing/raw-client.ts";
import { closePayload, Opcode, rawFrame } from "../../src/testing/raw-frame.ts";

/** The time between two reads, in milliseconds. */
const STEP = 50;

/** The end of what a compressed message leaves out (RFC 7692 section 7.2.1). */
const DEFLATE_TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** How a connection ended for the client. */
export interface ReaderEnd {
  /** The code of the server's close frame; 1006 without one. */
  readonly code: number;
  /** The code of the error of the TCP connection, if there was one before the close frame, such as `ECONNRESET`. */
  readonly error: string | undefined;
}

export interface SlowReaderOptions {
  /** The number of bytes that the client reads in a second. */
  readonly rate: number;
  /** Further headers of the upgrade request. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A client that reads so many bytes every 50 ms, and otherwise does what clients do: it answers pings and the close
 * frame when it has read them. What breaks the protocol ends the connection and stands in `faults`.
 */
export class SlowReader {
  /** The data messages, whole and inflated, in the order in which they came. */
  readonly messages: Buffer[] = [];
  /** The opcodes of the control frames, in the order in which they came. */
  readonly controls: number[] = [];
  readonly faults: string[] = [];
  /** The number of frames of the message that came in most frames. */
  mostFragments = 0;
  /** Number of bytes read since the handshake. */
  bytesRead = 0;
  /** The number of bytes that the client reads in a second; 0 for none. */
  rate: number;
  /** Whether the client answers pings and the close frame. */
  isAnswering = true;
  readonly ended: Promise<ReaderEnd>;
  readonly #tcp: TcpSocket;
  readonly #timer: NodeJS.Timeout;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  #fragments: Buffer[] = [];
  #isCompressed = false;
  #code = 1006;
  #lastStep = performance.now();

  /** Connects and waits for the answer to the upgrade request. */
  static async connect(where: ListenOptions, port: number, options: SlowReaderOptions): Promise<SlowReader> {
    const address = where.socketPath === undefined ? { port, host: "127.0.0.1" } : { path: where.socketPath };
    const isTls = where.tls !== undefined;
    const tcp = isTls ? connectTls({ ...address, rejectUnauthorized: false }) : connectTcp(address);
    await once(tcp, isTls ? "secureConnect" : "connect");
    tcp.write(rawRequest("/", { ...UPGRADE_HEADERS, ...options.headers }));
    let head = Buffer.alloc(0);
    while (!head.includes("\r\n\r\n")) {
      // Byte by byte, because what follows the answer belongs to the reader.
      const byte = tcp.read(1) as Buffer | null;
      // oxlint-disable-next-line no-await-in-loop -- the answer comes in its order
      if (byte === null) await Promise.race([once(tcp, "readable"), once(tcp, "close")]);
      else head = Buffer.concat([head, byte]);
      if (tcp.destroyed) throw new Error("The connection ended before the upgrade was answered.");
    }
    if (!head.toString().startsWith("HTTP/1.1 101 ")) throw new Error(`The upgrade was refused: ${head.toString()}`);
    return new SlowReader(tcp, options.rate);
  }

  private constructor(tcp: TcpSocket, rate: number) {
    this.#tcp = tcp;
    this.rate = rate;
    this.#timer = setInterval(() => this.#step(), STEP);
    let failure: string | undefined;
    // The client reads with `read`, so the stream must not flow by itself.
    tcp.on("readable", () => {});
    tcp.on("error", (error: NodeJS.ErrnoException) => {
      // A server may have ended TCP when its close frame is answered.
      if (this.#code === 1006) failure = error.code ?? error.message;
    });
    this.ended = new Promise((resolve) => {
      tcp.once("close", () => {
        clearInterval(this.#timer);
        this.#wake();
        resolve({ code: this.#code, error: failure });
      });
    });
  }

  /** Whether the server's close frame has been read, or the connection has ended. */
  get isClosed(): boolean {
    return this.#code !== 1006 || this.#tcp.destroyed;
  }

  /** Resolves when so many messages have been read, or when no more can come. */
  async has(count: number): Promise<void> {
    if (this.messages.length >= count || this.isClosed) return;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ count, resolve });
    });
  }

  /** Sends a frame. */
  send(opcode: number, payload: string | Uint8Array = ""): void {
    this.#tcp.write(rawFrame(opcode, payload));
  }

  /** Sends a close frame. */
  close(code: number): void {
    this.send(Opcode.close, closePayload(code));
  }

  /** Breaks the connection. */
  vanish(): void {
    this.#tcp.destroy();
  }

  /** Reads what the rate allows for the time since the last step, but never more than for four steps. */
  #step(): void {
    const now = performance.now();
    const passed = Math.min(now - this.#lastStep, 4 * STEP);
    this.#lastStep = now;
    const most = Math.round((this.rate * passed) / 1000);
    const there = this.#tcp.readableLength;
    // Without a number the stream reads what there is, and notices its end.
    const bytes = most === 0 ? null : ((most < there ? this.#tcp.read(most) : this.#tcp.read()) as Buffer | null);
    if (bytes === null) return;
    this.bytesRead += bytes.length;
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    while (this.#frame());
  }

  /** Handles the next frame. Returns `false` if it is not all there, or if it is the last one. */
  #frame(): boolean {
    if (this.#unreadBytes < 2) return false;
    const [first = 0, second = 0] = this.#peek(2);
    const short = second & 0x7f;
    const header = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#unreadBytes < header) return false;
    const head = this.#peek(header);
    const length = short < 126 ? short : short === 126 ? head.readUInt16BE(2) : Number(head.readBigUInt64BE(2));
    if (this.#unreadBytes < header + length) return false;
    const payload = this.#take(header + length).subarray(header);
    const opcode = first & 0x0f;
    if ((second & 0x80) !== 0) return this.#breach("a frame of a server is masked");
    if (this.#code !== 1006) return this.#breach("a frame follows the close frame");
    if (opcode >= 0x8) return this.#control(opcode, payload);
    return this.#data(opcode, first, payload);
  }

  #control(opcode: number, payload: Buffer): boolean {
    this.controls.push(opcode);
    if (opcode === Opcode.close) {
      if (this.#fragments.length > 0) return this.#breach("the close frame stands in the middle of a message");
      this.#code = payload.length === 0 ? 1005 : payload.readUInt16BE();
      if (this.isAnswering) this.send(Opcode.close, payload.subarray(0, 2));
      this.#wake();
    } else if (opcode === Opcode.ping && this.isAnswering) this.send(Opcode.pong, payload);
    return true;
  }

  #data(opcode: number, first: number, payload: Buffer): boolean {
    const isContinuation = opcode === Opcode.continuation;
    if (isContinuation !== this.#fragments.length > 0) return this.#breach(`opcode ${opcode} between fragments`);
    if (!isContinuation) this.#isCompressed = (first & 0x40) !== 0;
    this.#fragments.push(payload);
    if ((first & 0x80) === 0) return true;
    this.mostFragments = Math.max(this.mostFragments, this.#fragments.length);
    const whole = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.messages.push(this.#isCompressed ? inflated(whole) : whole);
    this.#wake();
    return true;
  }

  #breach(fault: string): false {
    this.faults.push(fault);
    this.vanish();
    return false;
  }

  #peek(count: number): Buffer {
    const [first] = this.#unread;
    if (first === undefined || first.length >= count) return first?.subarray(0, count) ?? Buffer.alloc(0);
    this.#unread = [Buffer.concat(this.#unread)];
    return this.#peek(count);
  }

  #take(count: number): Buffer {
    const taken = this.#peek(count);
    const [first = taken, ...rest] = this.#unread;
    this.#unread = first.length > count ? [first.subarray(count), ...rest] : rest;
    this.#unreadBytes -= count;
    return taken;
  }

  #wake(): void {
    for (const waiting of this.#waiting.splice(0)) {
      if (this.messages.length >= waiting.count || this.isClosed) waiting.resolve();
      else this.#waiting.push(waiting);
    }
  }
}

function inflated(payload: Buffer): Buffer {
  return inflateRawSync(Buffer.concat([payload, DEFLATE_TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
}

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { constants, inflateRawSync } from "node:zlib";
import { TAIL_LENGTH } from "../envelope.ts";
import type { Dialect } from "../peers/peer.ts";
import { isStampAt, sequenceAt, STAMP_LENGTH, streamAt, timeAt } from "../stamp.ts";
import type { Arrivals } from "./arrivals.ts";
import { CLOSE, clientFrame, PONG, TEXT } from "./client-frame.ts";
import { FrameWalker, type FrameHandler } from "./frame-walker.ts";
import { Ledger } from "./ledger.ts";
import type { Client, ConnectPlan } from "./messages.ts";
import { checkUpgrade, upgradeRequest } from "./upgrade.ts";

/** All connections read into the same memory: nothing of it is needed after the callback. */
const shared: Buffer = Buffer.allocUnsafeSlow(256 * 1024);

/** Where connections to it come from anyway: to bind each to it would only make the system search for ports. */
const HOST = "127.0.0.1";

/** A server that has not answered by then will not. */
const HANDSHAKE_MILLISECONDS = 20_000;

const END_OF_HEAD = "\r\n\r\n";
const END_OF_DEFLATED: Buffer = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** How a hub tells where the record of a room begins. */
const RECORD = '{"event":"hub:record"';
const QUOTE = 0x22;
const BRACE = 0x7d;
const BRACKET = 0x5d;

/** A client of a peer: a bare TCP socket that understands as much of what it reads as the benchmark has to know. */
export class Connection implements FrameHandler {
  readonly client: Client;
  readonly dialect: Dialect;
  readonly ledger: Ledger;
  /** Since the measurement began. */
  deliveries = 0;
  stalled = false;
  readonly #arrivals: Arrivals;
  readonly #plan: ConnectPlan;
  readonly #walker: FrameWalker = new FrameWalker(this);
  readonly #socket: Socket;
  readonly #lastByte: number;
  readonly #size: number | undefined;
  #head: Buffer | undefined = Buffer.alloc(0);
  #opened = false;
  #ended = false;
  #compressed = false;
  #resolve: () => void = () => {};
  #reject: (reason: Error) => void = () => {};

  /** Begins the handshake; {@link open} waits for its end. */
  constructor(client: Client, plan: ConnectPlan, localAddress: string | undefined, arrivals: Arrivals) {
    this.client = client;
    this.dialect = plan.dialect;
    this.ledger = new Ledger(client, arrivals.violations);
    this.#arrivals = arrivals;
    this.#plan = plan;
    this.#lastByte = plan.dialect === "engine.io" ? BRACKET : BRACE;
    this.#size = plan.size;
    // The first packets of Engine.IO are told apart by how they begin.
    this.#walker.whole = true;
    this.#socket = connect({
      host: HOST,
      port: plan.port,
      ...(localAddress !== undefined && localAddress !== HOST && { localAddress }),
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length) => {
          if (this.#opened) this.#read(length);
          else this.#greet(length);
          return true;
        },
      },
    });
    this.#socket.setTimeout(HANDSHAKE_MILLISECONDS, () => this.#fail(new Error("The server has not answered.")));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#end());
    this.#socket.write(upgradeRequest(client, plan));
  }

  /** @throws where the server refuses, as a rejection that names what it answered. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Counts from 0; `own` are the streams that this client sends. */
  begin(own: readonly number[]): void {
    this.deliveries = 0;
    this.ledger.begin(own);
  }

  stall(stalled: boolean): void {
    this.stalled = stalled;
    if (stalled) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Returns whether the bytes are in the system's hands, so that the frame may be changed again. */
  write(frame: Buffer): boolean {
    if (this.#ended) return true;
    this.#socket.write(frame);
    return this.#socket.writableLength === 0;
  }

  /** With a reset: ten thousand ports that stay in TIME_WAIT would make the next connections slow. */
  destroy(): void {
    this.#fail(new Error("The receivers were closed."));
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy();
  }

  message(bytes: Buffer, start: number, end: number, length: number): void {
    const at = end - TAIL_LENGTH - STAMP_LENGTH;
    if (at < start || bytes[end - 1] !== this.#lastByte || bytes[end - 2] !== QUOTE || !this.#opened) {
      this.#packet(bytes.toString("latin1", start, end));
      return;
    }
    if (this.#size !== undefined && length !== this.#size) {
      this.malformed();
      return;
    }
    const stream = streamAt(bytes, at);
    const sequence = sequenceAt(bytes, at);
    if (this.ledger.enter(stream, sequence)) this.#arrivals.deliver(timeAt(bytes, at));
    else if (!isStampAt(bytes, at)) this.malformed();
    else if (this.ledger.enterOther(stream, sequence)) this.#arrivals.deliver(timeAt(bytes, at));
  }

  compressed(payload: Buffer): void {
    const message = this.#compressed ? inflate(payload) : undefined;
    if (message === undefined) this.malformed();
    else this.message(message, 0, message.length, message.length);
  }

  ping(payload: Buffer): void {
    this.write(clientFrame(PONG, payload));
  }

  close(payload: Buffer): void {
    this.#socket.end(clientFrame(CLOSE, payload));
    this.#end();
  }

  malformed(): void {
    this.#arrivals.violations.malformed++;
  }

  #read(length: number): void {
    const arrivals = this.#arrivals;
    const { deliveries } = arrivals;
    arrivals.beginRead(length);
    this.#walker.walk(shared, 0, length);
    this.deliveries += arrivals.deliveries - deliveries;
    arrivals.endRead(deliveries);
  }

  /** Whatever comes before the connection is open: the answer to the upgrade, and the first packets of Engine.IO. */
  #greet(length: number): void {
    if (this.#head === undefined) {
      this.#walker.walk(shared, 0, length);
      return;
    }
    const head = Buffer.concat([this.#head, shared.subarray(0, length)]);
    const end = head.indexOf(END_OF_HEAD);
    this.#head = end === -1 ? head : undefined;
    if (end === -1) return;
    try {
      this.#compressed = checkUpgrade(head.toString("latin1", 0, end), this.#plan.compression);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (this.dialect === "websocket") this.#open();
    this.#walker.walk(head, end + END_OF_HEAD.length, head.length);
  }

  /** A message that is none of the benchmark's. */
  #packet(text: string): void {
    const engine = this.dialect === "engine.io";
    if (engine && text === "2") this.write(clientFrame(TEXT, Buffer.from("3")));
    else if (this.#opened) {
      if (!text.startsWith(RECORD)) this.malformed();
    } else if (text.startsWith("0{")) this.write(clientFrame(TEXT, Buffer.from("40")));
    else if (text.startsWith("40{")) this.#open();
    else this.#fail(new Error(`The server answered "${text}" to the handshake of Socket.IO.`));
  }

  #open(): void {
    this.#opened = true;
    this.#walker.whole = false;
    this.#socket.setTimeout(0);
    this.#resolve();
  }

  #fail(error: Error): void {
    if (this.#opened) return;
    this.#reject(error);
    this.#socket.destroy();
  }

  #end(): void {
    this.#fail(new Error("The server ended the connection before it was open."));
    if (this.#ended) return;
    this.#ended = true;
    if (this.#opened) this.#arrivals.violations.closed++;
  }
}

function inflate(payload: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.concat([payload, END_OF_DEFLATED]), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

import type { Close } from "../protocol/close-codes.ts";
import { Inbox } from "./inbox.ts";

/** Options of a client of the conformance suites. */
export interface SuiteConnectOptions {
  /** The path and the query. Default: `/`. */
  readonly url?: string;
  /** The headers of its request. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The subprotocols that the client offers. Default: none. */
  readonly protocols?: readonly string[];
  /** Whether the client offers permessage-deflate. Default: `false`. */
  readonly compression?: boolean;
}

/** The end of a connection, as the client sees it. */
export type SuiteClosing = Close;

/** A client of the transport under test, connecting or connected. */
export interface SuiteClient {
  /**
   * A promise that resolves when the server accepts the handshake. It rejects with a {@link SuiteRefusal}, or with
   * another error if the server did not answer.
   */
  readonly opened: Promise<void>;
  /** The subprotocol that was agreed on, or an empty string. */
  readonly protocol: string;
  /** A promise that resolves when the connection has ended, whichever end closed it. */
  readonly closed: Promise<SuiteClosing>;
  /**
   * Waits for the next message. The result is `undefined` once the connection has ended and all messages were handed
   * out.
   */
  next(): Promise<string | Uint8Array | undefined>;
  /** Sends a message, a string as text and bytes as binary. */
  send(message: string | Uint8Array): void;
  /** Closes the connection. */
  close(code?: number, reason?: string): void;
  /** Breaks the connection without a close frame: on a network, with a reset. */
  vanish(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads again. */
  resume(): void;
}

/** The error of a client whose handshake the server did not accept. */
export class SuiteRefusal extends Error {
  override readonly name = "SuiteRefusal";
  /** The HTTP status of the answer. */
  readonly status: number;
  /** The body of the answer. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`The handshake was answered with status ${status}.`);
    this.status = status;
    this.body = body;
  }
}

/** The parts of the browser's `WebSocket` that the suites use, and further methods of test clients. */
export interface WebSocketLike {
  readonly protocol: string;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: SuiteClosing) => void): void;
  addEventListener(type: "open", listener: () => void): void;
  send(message: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  pause(): void;
  resume(): void;
}

/**
 * A {@link SuiteClient} on any object with the interface of `WebSocket`. Binary messages must arrive as `ArrayBuffer`.
 */
export class WebSocketClient implements SuiteClient {
  readonly opened: Promise<void>;
  readonly closed: Promise<SuiteClosing>;
  readonly #socket: WebSocketLike;
  readonly #vanish: () => void;
  readonly #messages = new Inbox<string | Uint8Array>();

  /**
   * @param refused - called when the connection ends before it is open. It returns the server's answer, or `undefined`
   *   if there was none.
   * @param vanish - breaks the connection without a close frame.
   */
  constructor(socket: WebSocketLike, refused: () => SuiteRefusal | undefined, vanish: () => void) {
    this.#socket = socket;
    this.#vanish = vanish;
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => {
        this.#messages.end();
        resolve({ code, reason });
      });
    });
    this.opened = new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      void this.closed.then(() => reject(refused() ?? new Error("The connection ended before it was open.")));
    });
    // Not every test waits for this promise.
    this.opened.catch(() => {});
    socket.addEventListener("message", ({ data }) => {
      this.#messages.push(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
    });
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  next(): Promise<string | Uint8Array | undefined> {
    return this.#messages.next();
  }

  send(message: string | Uint8Array): void {
    this.#socket.send(message);
  }

  close(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  vanish(): void {
    this.#vanish();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

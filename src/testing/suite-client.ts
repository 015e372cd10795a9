import { Inbox } from "./inbox.ts";

/** How a client asks to be connected. */
export interface SuiteConnectOptions {
  /** Path and query. Default: `/`. */
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer. */
  readonly protocols?: readonly string[];
  /** Whether to offer permessage-deflate. Default: `false`. */
  readonly compression?: boolean;
}

/** How a connection ended, as the client sees it. */
export interface SuiteClosing {
  readonly code: number;
  readonly reason: string;
}

/** A client of the transport under test, on its way to be connected. */
export interface SuiteClient {
  /** Resolves when the handshake is accepted. Rejects with a {@link SuiteRefusal}, or an error if there was no answer. */
  readonly opened: Promise<void>;
  /** The subprotocol that was agreed on, or an empty string. */
  readonly protocol: string;
  /** Resolves when the connection has ended, whichever end did it. */
  readonly closed: Promise<SuiteClosing>;
  /** The next message, in order; `undefined` once the connection has ended and all were handed out. */
  next(): Promise<string | Uint8Array | undefined>;
  /** A string as text, bytes as binary. */
  send(message: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
  /** Breaks the connection without a word: on a network, with a reset. */
  vanish(): void;
  /** Stops reading. */
  pause(): void;
  /** Reads again. */
  resume(): void;
}

/** The server's answer when it does not accept a handshake. */
export class SuiteRefusal extends Error {
  override readonly name = "SuiteRefusal";
  readonly status: number;
  /** The body of the answer. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(`The handshake was answered with status ${status}.`);
    this.status = status;
    this.body = body;
  }
}

/** What the interface of the browser's `WebSocket` has that the suite uses, and what test clients have besides. */
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

/** A {@link SuiteClient} on anything with the interface of `WebSocket` that delivers binary messages as `ArrayBuffer`. */
export class WebSocketClient implements SuiteClient {
  readonly opened: Promise<void>;
  readonly closed: Promise<SuiteClosing>;
  readonly #socket: WebSocketLike;
  readonly #vanish: () => void;
  readonly #messages = new Inbox<string | Uint8Array>();

  /**
   * `refused` is called when the connection ends before it was open: the server's answer, or `undefined` if there was
   * none.
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
    // Not every test waits for it.
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

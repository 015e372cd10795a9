import { Buffer } from "node:buffer";
import { CloseCode, MAX_CLOSE_REASON_BYTES, type Close } from "../../protocol/close-codes.ts";
import { ABNORMAL } from "../shared/closes.ts";
import type { ClientEnd, MemoryConnection } from "./connection.ts";
import { Pipe, type Carrier } from "./pipe.ts";

/** The `close` event of a client in memory. Node.js 20 has no `CloseEvent`. */
export class MemoryCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor({ code, reason }: Close) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = code !== CloseCode.abnormal;
  }
}

/** The HTTP answer of a server that did not accept the connection. Browsers do not show it to programs. */
export interface RefusedUpgrade {
  readonly status: number;
  readonly message: string;
  /** Further headers, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;
}

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/**
 * A client in memory. It has the interface of the browser's `WebSocket`, and more that tests need: it can disconnect
 * without a close frame and stop reading. Binary messages arrive as `ArrayBuffer`.
 */
export class MemoryWebSocket extends EventTarget implements ClientEnd {
  readonly url: string;
  readonly #carry: Carrier;
  readonly #gaveUp: () => void;
  readonly #toServer: Pipe;
  #readyState: number = CONNECTING;
  #connection: MemoryConnection | undefined;
  #maxMessageBytes = 0;
  #refusal: RefusedUpgrade | undefined;

  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  onclose: ((event: MemoryCloseEvent) => void) | null = null;

  /** @param gaveUp - called when the client disconnects before its handshake was answered. */
  constructor(url: string, carry: Carrier, gaveUp: () => void) {
    super();
    this.url = url;
    this.#carry = carry;
    this.#gaveUp = gaveUp;
    this.#toServer = new Pipe(carry);
    this.addEventListener("open", (event) => this.onopen?.(event));
    this.addEventListener("message", (event) => this.onmessage?.(event as MessageEvent));
    this.addEventListener("error", (event) => this.onerror?.(event));
    this.addEventListener("close", (event) => this.onclose?.(event as MemoryCloseEvent));
  }

  /** The state of the connection, as a number of the browser's `WebSocket`. */
  get readyState(): number {
    return this.#readyState;
  }

  /** The subprotocol that was agreed on, or an empty string. */
  get protocol(): string {
    return this.#connection?.protocol ?? "";
  }

  /** The server's answer, from before the `close` event on, when the server did not accept the connection. */
  get refusal(): RefusedUpgrade | undefined {
    return this.#refusal;
  }

  /**
   * Sends a message, a string as text and bytes as binary. Does nothing once the connection is closing.
   *
   * @throws {DOMException} `InvalidStateError` before the connection is open.
   */
  send(message: string | ArrayBuffer | ArrayBufferView): void {
    if (this.#readyState === CONNECTING) {
      throw new DOMException("Still connecting", "InvalidStateError");
    }
    const connection = this.#connection;
    if (this.#readyState !== OPEN || connection === undefined) return;
    const bytes = typeof message === "string" ? Buffer.from(message) : copyBytes(message);
    const data = typeof message === "string" ? bytes.toString() : bytes;
    this.#toServer.push(bytes.length, () => {
      if (bytes.length > this.#maxMessageBytes) connection.receivedTooMuch();
      else connection.received(data);
    });
  }

  /**
   * Closes the connection.
   *
   * @throws {DOMException} `InvalidAccessError` for a code that is neither 1000 nor from 3000 to 4999, `SyntaxError`
   *   for a reason of more than 123 bytes.
   */
  close(code?: number, reason = ""): void {
    if (code !== undefined && code !== CloseCode.normal && !(code >= 3000 && code <= 4999)) {
      throw new DOMException("The close code must be 1000 or from 3000 to 4999", "InvalidAccessError");
    }
    if (Buffer.byteLength(reason) > MAX_CLOSE_REASON_BYTES) {
      throw new DOMException("The reason must be at most 123 bytes", "SyntaxError");
    }
    if (this.#readyState === CONNECTING) return this.terminate();
    if (this.#readyState !== OPEN) return;
    this.#readyState = CLOSING;
    const close = { code: code ?? CloseCode.noStatus, reason: reason.toWellFormed() };
    this.#toServer.push(0, () => {
      this.#connection?.clientClosed(close);
      this.#carry(() => this.closed(close));
    });
  }

  /** Disconnects without a close frame. The server sees 1006. */
  terminate(): void {
    this.#toServer.cut();
    if (this.#readyState === CONNECTING) this.#gaveUp();
    this.#carry(() => {
      this.#connection?.clientVanished();
      this.closed(ABNORMAL);
    });
  }

  /** Stops reading: messages from the server pile up on the server's side. */
  pause(): void {
    this.#connection?.setPaused(true);
  }

  /** Reads again. */
  resume(): void {
    this.#connection?.setPaused(false);
  }

  /** Opens the connection. Called by the transport. */
  accepted(connection: MemoryConnection, maxMessageBytes: number): void {
    this.#connection = connection;
    this.#maxMessageBytes = maxMessageBytes;
    this.#readyState = OPEN;
    this.#carry(() => this.dispatchEvent(new Event("open")));
  }

  /** Ends the connection with the server's answer. Called by the transport. */
  refused(status: number, message: string, headers: Readonly<Record<string, string>> = {}): void {
    this.#refusal = { status, message, headers };
    this.dispatchEvent(new Event("error"));
    this.closed(ABNORMAL);
  }

  /** Takes a message from the server. Called by the transport. */
  received(message: string | Uint8Array): void {
    if (this.#readyState === CLOSED) return;
    const data = typeof message === "string" ? message : new Uint8Array(message).buffer;
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /** Ends the connection. Called by the transport. */
  closed(close: Close): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.#toServer.cut();
    this.dispatchEvent(new MemoryCloseEvent(close));
  }
}

function copyBytes(data: ArrayBuffer | ArrayBufferView): Buffer {
  const view = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return Buffer.from(view);
}

/** The part of a WebSocket that the client needs. The browser's, that of Node.js 22 and that of `ws` have it. */
export interface WebSocketLike {
  /** The state of the connection, as a number: 1 while it is open. */
  readonly readyState: number;
  /** The subprotocol that was agreed on; empty if there is none. Some platforms do not tell it. */
  readonly protocol?: string | null | undefined;
  /** What binary messages arrive as. The client sets `"arraybuffer"`. */
  binaryType: string;
  /** Called when the connection is open. */
  onopen: ((event: never) => void) | null;
  /** Called with each message. */
  onmessage: ((event: never) => void) | null;
  /** Called before `onclose` when the connection has failed. */
  onerror: ((event: never) => void) | null;
  /** Called once, when the connection has ended. */
  onclose: ((event: never) => void) | null;
  /** Sends a message. */
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Closes the connection. */
  close(code?: number, reason?: string): void;
  /** Ends a connection that does not answer at once. `ws` and Bun have this method. */
  terminate?(): void;
}

/** The class `WebSocket` itself. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

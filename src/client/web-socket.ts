/** The part of a WebSocket that the client needs. The browser's, that of Node.js 22 and that of `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  /** The subprotocol that was agreed on; empty if there is none. Some platforms do not tell it. */
  readonly protocol?: string | null | undefined;
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Ends a connection that does not answer at once. `ws` and Bun have this method. */
  terminate?(): void;
}

/** The class `WebSocket` itself. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

/** What the client needs of a WebSocket: the browser's, that of Node.js 22, and the one of `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  binaryType: string;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Of `ws`: ends a connection that does not answer at once. */
  terminate?(): void;
}

/** `WebSocket` itself. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;

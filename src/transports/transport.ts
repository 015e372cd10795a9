import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/**
 * A transport is the seam between the hub and the wire: it accepts upgrades, hands over whole messages and writes
 * frames. It knows no rooms, no packets and no policy.
 *
 * Every transport passes the conformance suite of `roomcast/testing`; `docs/TRANSPORTS.md` explains how to write one.
 */
export interface Transport {
  /** The name that people read in errors and in logs. */
  readonly name: string;

  /** Topics, where the transport's library itself can send to many connections. */
  readonly topics?: Topics;

  /**
   * Starts the transport. The hub calls this once, before anything else. A transport on a server that the application
   * owns begins to accept connections here.
   *
   * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_PATH_TAKEN`.
   */
  start(handlers: TransportHandlers, settings: TransportSettings): void;

  /**
   * Binds the transport's own server.
   *
   * @throws {HubError} as a rejection: the system's code (`EADDRINUSE`, …), or `ERR_HUB_ATTACHED` when the application
   *   owns the server and must bind it itself.
   */
  listen(options: ListenOptions): Promise<ListenAddress>;

  /**
   * Takes an upgrade request that the application hands over, as `hub.handleUpgrade` documents it. Absent where the
   * transport cannot.
   *
   * @throws {HubError} `ERR_HUB_OPTION` when the transport gets its requests from a server.
   */
  handleUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;

  /** Refuses new connections and keeps the open ones. Calling it again does nothing. */
  stopListening(): void;

  /**
   * Ends everything that `start` and `listen` began, and resolves when no handle is left. Connections that are closing
   * get the time to finish that a close has; the others are terminated. Calling it again can only bring the end of the former forward.
   *
   * @param within - the time after which connections that are still closing are terminated, in milliseconds. Default:
   *   none but the bounds of a close.
   */
  destroy(within?: number): Promise<void>;
}

/**
 * Topics are named sets of connections that the transport's library can send to faster than the hub can, one by one.
 * The hub chooses the names.
 */
export interface Topics {
  /** The number of members below which subscribing them costs more than it saves. */
  readonly leastMembers: number;

  /** Adds a connection to a topic. */
  subscribe(connection: Connection, topic: string): void;

  /** Takes a connection out of a topic. */
  unsubscribe(connection: Connection, topic: string): void;

  /**
   * Sends frames to every connection that is subscribed now, after what was written to that connection before and
   * before what is written to it later. Bytes that the operating system does not take count in `bufferedAmount` from
   * the next turn of the event loop on.
   *
   * @param without - for each frame, the one subscriber that does not get it, or `undefined`. Default: every subscriber
   *   gets every frame.
   * @returns `false` if nothing was sent, because publishing would not be one system call for each connection.
   */
  publish(topic: string, frames: FrameSequence, without?: readonly (Connection | undefined)[]): boolean;
}

/** Settings that every transport honours, whatever its library calls them. */
export interface TransportSettings {
  /** The only path to accept, without a query, or `undefined` for any path. */
  readonly path: string | undefined;
  /** The size of the largest message accepted from a client, in bytes. A larger one ends the connection with 1009. */
  readonly maxMessageBytes: number;
  /** The number of bytes that the transport may hold for one connection before it calls `overflow`. */
  readonly maxBufferedBytes: number;
  /** Whether the server accepts permessage-deflate (RFC 7692) when a client offers it. */
  readonly compression: boolean;
  /**
   * The time that a client of the transport's own server may take to send its upgrade request, in milliseconds. A
   * transport whose library has a limit of its own may keep to that limit.
   */
  readonly handshakeTimeout: number;
  /**
   * The number of clients that the hub lets in at the same time, or `undefined` for any. A transport may refuse TCP
   * connections to its own server that are far beyond this number.
   */
  readonly maxConnections: number | undefined;
}

/** The address to listen on: a port, or `socketPath` for a Unix domain socket. */
export interface ListenOptions {
  /** The TCP port. Default: 0, which takes a free one. */
  readonly port?: number | undefined;
  /** The address to bind. Default: every address of the machine. */
  readonly host?: string | undefined;
  /** The path of a Unix domain socket, instead of `port` and `host`. */
  readonly socketPath?: string | undefined;
  /** The certificate and key of a server that speaks TLS. Default: no TLS. */
  readonly tls?: TlsOptions | undefined;
}

/** The certificate and the key of a server that speaks TLS, as PEM files, because both transports can read those. */
export interface TlsOptions {
  /** The path of the certificate, or of a chain of certificates. */
  readonly certFile: string;
  /** The path of the private key. */
  readonly keyFile: string;
  /** The passphrase of the key, if the key is encrypted. */
  readonly passphrase?: string | undefined;
}

/** The address that the transport listens on. */
export interface ListenAddress {
  /** The bound TCP port; 0 for a Unix domain socket. */
  readonly port: number;
}

/** Functions of the hub that the transport calls. None of them throws. */
export interface TransportHandlers {
  /**
   * Decides on the upgrade request of a client. The transport answers the client as the decision says, at once or when
   * the promise resolves, unless `info.signal` was aborted meanwhile.
   */
  upgrade(info: UpgradeInfo): UpgradeDecision | Promise<UpgradeDecision>;

  /**
   * Tells that a handshake was accepted and answered.
   *
   * @param context - the `context` of the decision.
   */
  open(connection: Connection, context: unknown): void;

  /**
   * A whole message has come: of a text message the UTF-8, checked, of a binary message the bytes. The bytes are the transport's,
   * which may use their memory again as soon as this returns.
   */
  message(connection: Connection, data: Buffer, isBinary: boolean): void;

  /** Tells that the client sent a ping. The transport answers it itself. */
  ping(connection: Connection): void;

  /** Tells that the client sent a pong, whether or not it answers a ping. */
  pong(connection: Connection): void;

  /** Tells that buffered bytes were written, so that `bufferedAmount` is worth reading again. */
  drain(connection: Connection): void;

  /**
   * Tells that more than `maxBufferedBytes` is held for a client, because of pongs with which the transport answers the
   * client's pings. The transport does not report this for frames that the hub writes.
   */
  overflow(connection: Connection): void;

  /**
   * Tells that the client closes the connection, or broke RFC 6455, while frames can still be written that were sent
   * before: the close frame that answers goes out afterwards. A transport whose library answers by itself leaves this out.
   */
  ending(connection: Connection): void;

  /**
   * Tells that a connection has ended. The transport calls this exactly once for every `open`, and never from inside a
   * call into the connection.
   *
   * After `connection.close(code)` the transport reports that code. Otherwise it reports the client's code (1005 if the
   * client gave none), 1007 for text that is not UTF-8, 1009 for a message that is too big, and 1006 for every other
   * end.
   */
  close(connection: Connection, code: number, reason: string): void;

  /**
   * Tells that the TCP connection has ended and its descriptor is free. The transport calls this exactly once for every
   * `open`, after `close`: until then the connection takes one of the places that the hub's limits allow. A transport
   * whose library does not tell waits for as long as that may take.
   */
  gone(connection: Connection): void;

  /** Tells that the transport's own server failed after it began to listen, for example to accept a connection. */
  error(error: unknown): void;
}

/** An upgrade request. It is a copy, and stays valid however long the decision takes. */
export interface UpgradeInfo {
  /** The path and the query, as the client sent them. */
  readonly url: string;
  /** The headers, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The client's address: IPv4 or IPv6 text without brackets, with IPv4-mapped addresses as IPv4; empty on a Unix
   * domain socket.
   */
  readonly remoteAddress: string;
  /** Whether the transport itself speaks TLS. */
  readonly secure: boolean;
  /** The subprotocols that the client offered in `Sec-WebSocket-Protocol`, in its order. */
  readonly protocols: readonly string[];
  /** A signal that is aborted when the client disconnects before it is answered. */
  readonly signal: AbortSignal;
}

/** The answer to an upgrade request. */
export type UpgradeDecision =
  | {
      readonly accept: true;
      /** One of the offered subprotocols, or an empty string for none. */
      readonly protocol: string;
      /** Any value; the transport hands it to `open`. */
      readonly context: unknown;
    }
  | {
      readonly accept: false;
      /** The HTTP status. */
      readonly status: number;
      /** The body of the answer, plain text. */
      readonly message: string;
      /** Further headers, such as `Retry-After`. Default: none. */
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };

/** A transport's own end of one connection. */
export interface Connection {
  /** The hub's own record of the connection. The transport neither reads nor changes it. */
  owner: unknown;
  /** The subprotocol that was agreed on, or an empty string. */
  readonly protocol: string;

  /**
   * The number of bytes that were read from the client so far, handshake and headers too: what a message cost that came
   * in many empty fragments. What costs far more than its bytes counts for more. Reading it never throws. Absent where the
   * library does not tell.
   */
  readonly bytesRead?: number;

  /**
   * The number of bytes accepted by `write` that the operating system has not taken yet; 0 once the connection is
   * closed. Reading it never throws.
   */
  readonly bufferedAmount: number;

  /**
   * Whether the connection itself holds bytes back, which it hands over in portions. Then `drain` will be called, and
   * nothing may be published to the connection. Absent where the connection hands over everything at once.
   */
  readonly isHolding?: boolean;

  /**
   * Whether the library gathers everything that is written now, and sends it in one system call before it handles what
   * it has read next of this client, such as a close frame. Absent in a transport that reports `ending`.
   */
  readonly isCorked?: boolean;

  /**
   * Writes the frames, in order, in as few system calls as the library allows. Does nothing once the connection is
   * closed.
   *
   * @returns `false` if the operating system did not take everything at once. Then `bufferedAmount` is worth reading,
   *   and the transport will call `drain`.
   */
  write(frames: FrameSequence): boolean;

  /** Sends a ping, which the client answers with a pong. Does nothing once the connection is closed. */
  ping(): void;

  /**
   * Reads nothing more of the client until `resume`. What has been read already may still be handed over. Closing the
   * connection ends the pause. A transport whose library cannot pause leaves out both.
   */
  pause?(): void;

  /** Reads again, after `pause`. */
  resume?(): void;

  /**
   * Sends a close frame after everything that was written before. The hub has validated the code and the reason. Does
   * nothing once the connection is closing.
   *
   * @param unconfirmed - the number of bytes written that the client may not have read yet, as far as the hub knows: a
   *   client that reads slowly takes that much longer to answer. Default: 0.
   */
  close(code: number, reason: string, unconfirmed?: number): void;

  /**
   * Closes the connection of a client that floods or does not read. As `close`, but nothing that the client sends from
   * now on is handled, and the connection is cut when it has not taken the close frame within a second or two. A
   * transport may leave this out; the hub then calls `close`.
   */
  expel?(code: number, reason: string): void;

  /** Ends the connection at once and loses what is buffered. The transport reports 1006. */
  terminate(): void;
}

/** One message, encoded, as the hub hands it to the transport. */
export interface MessageFrame {
  /** The payload alone. */
  readonly payload: Buffer;
  /** The whole frame, header and payload, as a server sends it (RFC 6455 section 5.2). */
  readonly bytes: Buffer;
  /** Whether the message is binary. Otherwise it is text in UTF-8. */
  readonly binary: boolean;
  /** Whether the message may be compressed for a client that has agreed on that. */
  readonly compress: boolean;
}

/** Frames that are written together. Many connections share one sequence. */
export interface FrameSequence {
  /** The frames in order; at least one. */
  readonly frames: readonly MessageFrame[];
  /** All frames as one run of bytes, which are joined when this is first read. */
  readonly bytes: Buffer;
  /** The length of all frames together, in bytes. Reading it joins nothing. */
  readonly byteLength: number;
}

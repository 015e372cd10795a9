import type { Buffer } from "node:buffer";

/**
 * The seam between the hub and the wire. A transport accepts upgrades, hands over whole messages and writes frames. It
 * knows no rooms, no packets and no policy.
 *
 * Every transport passes the conformance suite of `roomcast/testing`; `docs/TRANSPORTS.md` explains how to write one.
 */
export interface Transport {
  /** For people: shown in errors and in logs. */
  readonly name: string;

  /** Where the library itself can send to many connections: see {@link Topics}. */
  readonly topics?: Topics;

  /**
   * Called once, before anything else. A transport on a server that the application owns begins to accept here.
   *
   * @throws {HubError} `ERR_HUB_TRANSPORT_UNAVAILABLE`, `ERR_HUB_PATH_TAKEN`.
   */
  start(handlers: TransportHandlers, settings: TransportSettings): void;

  /**
   * Binds the transport's own server.
   *
   * @throws {HubError} with the system's code (`EADDRINUSE`, …), or `ERR_HUB_ATTACHED` when the application owns the
   *   server and must bind it itself.
   */
  listen(options: ListenOptions): Promise<ListenAddress>;

  /** Refuses new connections; those that are open go on. Idempotent. */
  stopListening(): void;

  /**
   * Ends everything that `start` and `listen` began, and resolves when no handle is left. Connections that are closing
   * get a moment to finish, the rest are terminated. Idempotent.
   */
  destroy(): Promise<void>;
}

/** Named sets of connections that the library can send to faster than one by one. Names are given by the hub. */
export interface Topics {
  /** With fewer members, subscribing them costs more than it saves. */
  readonly leastMembers: number;

  subscribe(connection: Connection, topic: string): void;
  unsubscribe(connection: Connection, topic: string): void;

  /**
   * Sends to every connection that is subscribed now, after what was written to it before and before what is written
   * later. What the operating system does not take counts in `bufferedAmount` from the next turn of the event loop on.
   *
   * @param without - for each frame the one subscriber that it is not for, or `undefined`. Absent: all are for everybody.
   * @returns `false`, and nothing was sent, where that would not be one system call for each connection.
   */
  publish(topic: string, frames: FrameSequence, without?: readonly (Connection | undefined)[]): boolean;
}

/** What every transport has to honour, whatever its library calls it. */
export interface TransportSettings {
  /** The only path to accept, or `undefined` for any. Queries are not part of it. */
  readonly path: string | undefined;
  /** The largest message accepted from a client, in bytes. A larger one ends the connection with 1009. */
  readonly maxMessageBytes: number;
  /** How much may be held for one connection before `overflow` is called, in bytes. */
  readonly maxBufferedBytes: number;
  /** Whether permessage-deflate (RFC 7692) is offered. */
  readonly compression: boolean;
  /**
   * How long a client of the transport's own server may take to send its upgrade request, in milliseconds. A library that
   * has a limit of its own may keep to that.
   */
  readonly handshakeTimeout: number;
}

/** Where to listen. A port, or `socketPath` for a Unix domain socket. */
export interface ListenOptions {
  /** TCP port; 0 (the default) takes a free one. */
  readonly port?: number | undefined;
  /** Address to bind. Default: every address of the machine. */
  readonly host?: string | undefined;
  /** Path of a Unix domain socket, instead of `port` and `host`. */
  readonly socketPath?: string | undefined;
  /** Serve TLS. */
  readonly tls?: TlsOptions | undefined;
}

/** PEM files, because that is what both transports can read. */
export interface TlsOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of the key, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** Where the transport listens now. */
export interface ListenAddress {
  /** The bound TCP port; 0 for a Unix domain socket. */
  readonly port: number;
}

/** What the transport calls. None of these throws. */
export interface TransportHandlers {
  /**
   * A client asks for a connection. The transport answers as the decision says, now or when the promise resolves,
   * unless `info.signal` was aborted meanwhile.
   */
  upgrade(info: UpgradeInfo): UpgradeDecision | Promise<UpgradeDecision>;

  /** The handshake was accepted and answered. `context` is what the decision carried. */
  open(connection: Connection, context: unknown): void;

  /** A whole message: text as a string, binary as bytes that belong to the receiver. */
  message(connection: Connection, data: string | Buffer): void;

  /** The client answered a ping. */
  pong(connection: Connection): void;

  /** Some of what was buffered has been written: `bufferedAmount` is worth reading again. */
  drain(connection: Connection): void;

  /**
   * The answers that the library itself gives to a client, pongs, have made it hold more than `maxBufferedBytes`. What the
   * hub writes needs no such report.
   */
  overflow(connection: Connection): void;

  /**
   * The connection has ended. Called exactly once for every `open`, never from inside a call into the connection.
   *
   * After `connection.close(code)` that code is reported; otherwise the client's (1005 if it gave none), 1007 for text
   * that is not UTF-8, 1009 for a message that is too big, and 1006 for every other end.
   */
  close(connection: Connection, code: number, reason: string): void;

  /** The transport's own server failed after it had begun to listen, for example to accept a connection. */
  error(error: unknown): void;
}

/** An upgrade request, copied: it stays valid however long the decision takes. */
export interface UpgradeInfo {
  /** Path and query as the client sent them. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** IPv4 or IPv6 text without brackets, IPv4-mapped addresses as IPv4; empty for a Unix domain socket. */
  readonly remoteAddress: string;
  /** Whether the transport itself speaks TLS. */
  readonly secure: boolean;
  /** What the client offered in `Sec-WebSocket-Protocol`, in its order. */
  readonly protocols: readonly string[];
  /** Aborted when the client vanishes before it is answered. */
  readonly signal: AbortSignal;
}

export type UpgradeDecision =
  | {
      readonly accept: true;
      /** One of the offered subprotocols, or an empty string for none. */
      readonly protocol: string;
      /** Handed to `open`. */
      readonly context: unknown;
    }
  | {
      readonly accept: false;
      readonly status: number;
      /** Plain text, sent as the body. */
      readonly message: string;
      /** Besides, such as `Retry-After`. Default: none. */
      readonly headers?: Readonly<Record<string, string>> | undefined;
    };

/** A transport's own end of one connection. */
export interface Connection {
  /** A place for the hub to find its own record; the transport leaves it alone. */
  owner: unknown;
  /** The subprotocol that was agreed on, or an empty string. */
  readonly protocol: string;

  /** Bytes accepted by `write` that the operating system has not taken yet. 0 once closed; never throws. */
  readonly bufferedAmount: number;

  /**
   * Writes the frames, in order, in as few system calls as the library allows. Ignored once closed.
   *
   * @returns `false` if the operating system did not take everything at once: `bufferedAmount` is worth reading, and
   *   `drain` will be called.
   */
  write(frames: FrameSequence): boolean;

  /** Asks for a pong. Ignored once closed. */
  ping(): void;

  /**
   * Sends a close frame after everything written before. The code and the reason have been validated. Ignored once
   * closing.
   */
  close(code: number, reason: string): void;

  /** Ends the connection now; what is buffered is lost. Reported as 1006. */
  terminate(): void;
}

/** One message, encoded: what the hub hands to the transport. */
export interface MessageFrame {
  /** The payload alone. */
  readonly payload: Buffer;
  /** The whole frame as a server sends it (RFC 6455 section 5.2): header and payload. */
  readonly bytes: Buffer;
  readonly binary: boolean;
}

/** Frames that are written together. Many connections share one sequence. */
export interface FrameSequence {
  /** In order; at least one. */
  readonly frames: readonly MessageFrame[];
  /** All frames as one run of bytes, joined at the first use. */
  readonly bytes: Buffer;
  /** How many bytes that is; costs nothing. */
  readonly byteLength: number;
}

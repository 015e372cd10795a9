import type { Codec } from "../protocol/codec.ts";
import {
  ControlEvent,
  PROTOCOL_VERSION,
  type Bye,
  type EventPacket,
  type ReplyPacket,
  type Welcome,
  type WireError,
} from "../protocol/packet.ts";
import { remote, type ClientError } from "./errors.ts";
import { Liveness } from "./liveness.ts";
import { ABNORMAL, UNSUPPORTED_VERSION } from "./words.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

/** What a connection is made with. */
export interface LinkOptions {
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  readonly codec: Codec & { readonly protocol: string };
  /** From the beginning to the welcome, in milliseconds. */
  readonly connectTimeout: number;
}

/** Whom a connection tells. */
export interface LinkHandlers {
  welcome(welcome: Welcome): void;
  event(packet: EventPacket, link: Link): void;
  reply(packet: ReplyPacket): void;
  /** A message that is no packet. */
  message(message: string | Uint8Array): void;
  /** The server refused something, or the whole client. */
  failed(error: ClientError): void;
  /** Called once, last of all. */
  ended(ending: Ending): void;
}

/** How a connection ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
  /** What the server said about coming back. */
  readonly bye?: Bye | undefined;
}

/** `WebSocket.OPEN`. */
const OPEN = 1;

/** How long the server may take to answer a close, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** One connection, from its first byte on: it says hello, answers pings and notices when it is dead. */
export class Link {
  readonly #options: LinkOptions;
  readonly #handlers: LinkHandlers;
  readonly #socket: WebSocketLike;
  #timer: ReturnType<typeof setTimeout>;
  #liveness: Liveness | undefined;
  #bye: Bye | undefined;
  #over = false;

  /** @throws what `new WebSocket` throws. */
  constructor(options: LinkOptions, hello: string | Uint8Array, handlers: LinkHandlers) {
    const { codec, connectTimeout, url, WebSocket } = options;
    this.#options = options;
    this.#handlers = handlers;
    const socket = new WebSocket(url, [codec.protocol]);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.drop("No welcome"), connectTimeout);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.send(hello);
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      this.#receive(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
    };
    // A close follows. Without a listener `ws` would throw.
    socket.onerror = () => {};
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) => this.#end(code, reason);
  }

  /** Whether what is sent has a chance: not once either end has begun to close. */
  get isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  send(message: string | Uint8Array): void {
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
  }

  /** Looks now whether the connection is dead. */
  check(): void {
    this.#liveness?.check();
  }

  /**
   * Says goodbye, after everything that was sent. What still comes is ignored.
   *
   * @throws what `WebSocket.close` throws.
   */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.#socket.onmessage = null;
    this.#stop();
    this.#timer = setTimeout(() => this.drop(reason, code), CLOSE_TIMEOUT);
  }

  /** Ends it without waiting for the other end, which may never answer. */
  drop(reason: string, code: number = ABNORMAL): void {
    const socket = this.#socket;
    socket.onmessage = null;
    // After the one, the other does nothing.
    socket.terminate?.();
    socket.close();
    this.#end(code, reason);
  }

  /** Only the first time: a socket that was dropped may still say that it is closed. */
  #end(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stop();
    this.#handlers.ended({ code, reason, bye: this.#bye });
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#liveness?.stop();
  }

  /** What comes from the server is trusted further than what comes from clients: only the kind of packet is looked at. */
  #receive(message: string | Uint8Array): void {
    this.#liveness?.heard();
    let packet: Partial<EventPacket & ReplyPacket> | null | undefined;
    try {
      packet = this.#options.codec.decode(message) as typeof packet;
    } catch {
      // It is for the application then, like what is not for the codec.
    }
    if (typeof packet?.event === "string") this.#take(packet as EventPacket);
    else if (this.#liveness === undefined) return;
    else if (packet?.event === undefined && Number.isInteger(packet?.reply))
      this.#handlers.reply(packet as ReplyPacket);
    else this.#handlers.message(message);
  }

  /** Before the welcome nothing else has a meaning than it, an error and a bye. */
  #take(packet: EventPacket): void {
    const { event } = packet;
    const data = packet.data ?? {};
    if (event === ControlEvent.error) this.#handlers.failed(remote(data as WireError));
    else if (event === ControlEvent.bye) this.#bye = data as Bye;
    else if (this.#liveness === undefined) {
      if (event === ControlEvent.welcome) this.#welcome(data as Welcome);
    } else if (event === ControlEvent.ping) this.send(this.#options.codec.encode({ event: ControlEvent.pong }));
    else this.#handlers.event(packet, this);
  }

  #welcome(welcome: Welcome): void {
    if (welcome.protocol !== PROTOCOL_VERSION) {
      this.drop(`Version ${welcome.protocol}`, UNSUPPORTED_VERSION);
      return;
    }
    clearTimeout(this.#timer);
    const { heartbeat, timeout } = welcome;
    this.#liveness = new Liveness(heartbeat ? heartbeat + timeout : Infinity, () => this.drop("No sign of life"));
    this.#handlers.welcome(welcome);
  }
}

import { CloseCode } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import {
  ControlEvent,
  PROTOCOL_VERSION,
  type Bye,
  type EventPacket,
  type Packet,
  type ReplyPacket,
  type Welcome,
  type WireError,
} from "../protocol/packet.ts";
import { Liveness } from "./liveness.ts";
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
  event(packet: EventPacket): void;
  reply(packet: ReplyPacket): void;
  /** A message that is no packet. */
  message(message: string | Uint8Array): void;
  /** The server refused something, or the whole client. */
  refused(error: WireError): void;
  /** Called once, last of all. */
  ended(ending: Ending): void;
}

/** How a connection ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
  /** What the server said about coming back. */
  readonly bye: Bye | undefined;
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
  constructor(options: LinkOptions, auth: unknown, handlers: LinkHandlers) {
    const { codec, connectTimeout, url, WebSocket } = options;
    this.#options = options;
    this.#handlers = handlers;
    const socket = new WebSocket(url, [codec.protocol]);
    this.#socket = socket;
    this.#timer = setTimeout(() => this.drop("No welcome in time"), connectTimeout);
    socket.binaryType = "arraybuffer";
    socket.onopen = () =>
      this.send(codec.encode({ event: ControlEvent.hello, data: { protocol: PROTOCOL_VERSION, auth } }));
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

  /** Says goodbye, after everything that was sent. */
  close(code: number, reason: string): void {
    this.#stop();
    this.#timer = setTimeout(() => this.drop(reason, code), CLOSE_TIMEOUT);
    this.#socket.close(code, reason);
  }

  /** Ends it without waiting for the other end, which may never answer. */
  drop(reason: string, code: number = CloseCode.abnormal): void {
    if (this.#over) return;
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    if (socket.terminate === undefined) socket.close();
    else socket.terminate();
    this.#end(code, reason);
  }

  #end(code: number, reason: string): void {
    this.#over = true;
    this.#stop();
    this.#handlers.ended({ code, reason, bye: this.#bye });
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#liveness?.stop();
  }

  #receive(message: string | Uint8Array): void {
    this.#liveness?.heard();
    const packet = this.#decode(message);
    if (packet === undefined) this.#handlers.message(message);
    else if ("event" in packet) this.#take(packet);
    else this.#handlers.reply(packet);
  }

  #take(packet: EventPacket): void {
    const { data } = packet;
    switch (packet.event) {
      case ControlEvent.welcome:
        this.#welcome(data as Welcome);
        break;
      case ControlEvent.ping:
        this.send(this.#options.codec.encode({ event: ControlEvent.pong }));
        break;
      case ControlEvent.bye:
        this.#bye = data as Bye;
        break;
      case ControlEvent.error:
        this.#handlers.refused(data as WireError);
        break;
      default:
        this.#handlers.event(packet);
    }
  }

  #welcome(welcome: Welcome): void {
    if (welcome.protocol !== PROTOCOL_VERSION) {
      this.drop(`The server speaks version ${welcome.protocol}`, CloseCode.unsupportedVersion);
      return;
    }
    clearTimeout(this.#timer);
    const { heartbeat, timeout } = welcome;
    this.#liveness = new Liveness(heartbeat === 0 ? 0 : heartbeat + timeout, () => this.drop("No sign of life"));
    this.#handlers.welcome(welcome);
  }

  /** What comes from the server is trusted further than what comes from clients: only the kind of packet is looked at. */
  #decode(message: string | Uint8Array): Packet | undefined {
    try {
      const packet = this.#options.codec.decode(message) as Partial<EventPacket & ReplyPacket> | null | undefined;
      const known = typeof packet?.event === "string" || Number.isInteger(packet?.reply);
      return known ? (packet as Packet) : undefined;
    } catch {
      return undefined;
    }
  }
}

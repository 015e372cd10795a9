import type { Close, CloseCode } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import {
  PROTOCOL_VERSION,
  type Bye,
  type ControlEvent,
  type EventPacket,
  type ReplyPacket,
  type Welcome,
  type WireError,
} from "../protocol/packet.ts";
import { remote } from "./errors.ts";
import type { ClientListeners } from "./listeners.ts";
import { now } from "./now.ts";
import { delayOf } from "./options.ts";
import type { Patience } from "./patience.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

/** The parts that a connection is made of. */
export interface LinkParts extends Patience {
  readonly WebSocket: WebSocketConstructor;
  readonly url: string;
  readonly codec: Codec & { readonly protocol: string };
}

/** The receiver of what happens on a connection. */
export interface LinkReport {
  welcome(welcome: Welcome): void;
  event(packet: EventPacket, link: Link): void;
  reply(packet: ReplyPacket): void;
  /** The connection has ended. This is called once, and nothing is called after it. */
  ended(close: Close, bye: Bye | undefined): void;
}

/** The code of a connection that ended without a close frame. */
export const ABNORMAL: typeof CloseCode.abnormal = 1006;

/** The time that the server has to answer a close, in milliseconds. */
const CLOSE_TIMEOUT = 2_000;

/** One connection, from its first byte on. It sends hello, answers pings and notices when the connection is dead. */
export class Link {
  readonly #parts: LinkParts;
  readonly #listeners: ClientListeners;
  readonly #report: LinkReport;
  readonly #socket: WebSocketLike;
  /** Why the connection ends, if the platform does not say it when it has ended. */
  #why = "The connection was not opened.";
  /** The time without a message after which the connection counts as dead, in milliseconds; 0 before the welcome. */
  #limit = 0;
  /** Called when a connection that was closed has ended. */
  #gone: (() => void) | undefined;
  #over: boolean | undefined;
  #bye: Bye | undefined;
  /**
   * The bytes that may be sent before the server is asked whether it has taken them, less than 0 while it is asked;
   * `undefined` for any number.
   */
  left: number | undefined;
  /** When the last message arrived. */
  #heardAt = 0;
  /** The timer of the next check, or of the answer to a close. */
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @throws the error that `new WebSocket` throws. */
  constructor(parts: LinkParts, hello: string | Uint8Array, listeners: ClientListeners, report: LinkReport) {
    const { codec, url, WebSocket } = parts;
    this.#parts = parts;
    this.#listeners = listeners;
    this.#report = report;
    const socket = new WebSocket(url, [codec.protocol]);
    this.#socket = socket;
    // Some platforms fire `error` or `close` within `close()`, where nobody expects them.
    const ended = (event: Partial<Close>): void => queueMicrotask(() => this.#end(event.code, event.reason));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      // Most platforms end a connection without the subprotocol by themselves; some open one that was closed meanwhile.
      if (this.#over || this.#gone || socket.protocol === "") this.drop();
      else {
        this.#why = "The connection was lost.";
        socket.onerror = () => {};
        this.send(hello);
      }
    };
    socket.onmessage = ({ data }: { readonly data: unknown }) => {
      this.#receive(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
    };
    // Some platforms fire no `close` after this, unless the connection was open.
    socket.onerror = socket.onclose = ended;
  }

  /** Whether a message can still be sent: neither end has begun to close the connection. */
  get isOpen(): boolean {
    // The value of `WebSocket.OPEN`.
    return this.#socket.readyState === 1;
  }

  /** Sends a message, and asks the server to answer when it has taken everything, if that is due. */
  send(message: string | Uint8Array): void {
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    // The server counts a record for each message, and up to three bytes for each unit of text.
    if ((this.left as number) >= 0 && ((this.left as number) -= 256 + 3 * message.length) < 0) {
      // The requests of the outbox have other numbers.
      this.send(this.#parts.codec.encode({ event: "hub:sync" satisfies typeof ControlEvent.sync, id: 0 }));
    }
  }

  /**
   * Checks whether the connection is dead although nobody closed it: no message has arrived for too long. It is checked now,
   * and again later: there is one timer, and a message costs no more than reading the clock.
   *
   * After the machine has slept, timers fire before the waiting messages are read. So a connection that looks dead is
   * checked once more, after the messages had their turn.
   */
  check(isVerdict?: boolean): void {
    if (!this.#limit) return;
    const silence = now() - this.#heardAt;
    // A timer has fired, so the connection has lasted for the whole time.
    if (isVerdict === false && silence < this.#limit) this.#parts.patience = 1;
    // Not negative: Node.js would warn of such a delay.
    const left = Math.max(0, this.#limit * this.#parts.patience - silence);
    clearTimeout(this.#timer);
    if (!left && isVerdict) {
      // Eight times the usual is longer than what the operating system holds takes at 16 KiB/s.
      this.#parts.patience = Math.min(8, 2 * this.#parts.patience);
      this.drop("No sign of life.");
    } else this.#timer = setTimeout(() => this.check(!left), delayOf(left));
  }

  /**
   * Closes the connection after everything that was sent. Messages that still arrive are ignored. Resolves when the
   * connection has ended.
   *
   * @throws the error that `WebSocket.close` throws.
   */
  close(code: number, reason: string): Promise<void> {
    this.#socket.close(code, reason);
    this.#stop();
    this.#timer = setTimeout(() => this.drop(reason, code), CLOSE_TIMEOUT);
    return new Promise((resolve) => {
      this.#gone = resolve;
    });
  }

  /** Ends the connection without waiting for the other end, which may never answer. */
  drop(reason?: string, code?: number): void {
    this.#end(code, reason);
    // `close` does nothing after `terminate`.
    this.#socket.terminate?.();
    this.#socket.close();
  }

  /**
   * Reports the end once: a socket that was dropped may still report its close. A code that no close frame can have,
   * as some platforms report after a lost connection, stands for none.
   */
  #end(code = 0, reason?: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#stop();
    if (!(code >= 1000 && code < 5000 && code !== ABNORMAL)) {
      code = ABNORMAL;
      reason ||= this.#why;
    }
    this.#report.ended({ code, reason: reason || "" }, this.#bye);
    this.#gone?.();
  }

  #stop(): void {
    this.#socket.onmessage = null;
    clearTimeout(this.#timer);
  }

  /**
   * Handles a message. The server is trusted further than the hub trusts clients: only the kind of the packet is
   * checked.
   */
  #receive(message: string | Uint8Array): void {
    this.#heardAt = now();
    let packet: Partial<EventPacket & ReplyPacket> | null | undefined;
    try {
      packet = this.#parts.codec.decode(message) as typeof packet;
    } catch {
      // An undecodable message goes to the application, as does a message that is not meant for the codec.
    }
    if (typeof packet?.event === "string") this.#take(packet as EventPacket);
    else if (this.#limit) {
      if (!packet?.event && typeof packet?.reply === "number") this.#report.reply(packet as ReplyPacket);
      else this.#listeners.dispatch("hub:message", message);
    }
  }

  /** Handles an event. Before the welcome only `hub:welcome`, `hub:error` and `hub:bye` have a meaning. */
  #take(packet: EventPacket): void {
    const { event } = packet;
    const data = packet.data ?? {};
    if (event === ("hub:error" satisfies typeof ControlEvent.error)) this.#listeners.report(remote(data as WireError));
    else if (event === ("hub:bye" satisfies typeof ControlEvent.bye)) this.#bye = data as Bye;
    else if (!this.#limit) {
      if (event === ("hub:welcome" satisfies typeof ControlEvent.welcome)) this.#welcome(data as Welcome);
    } else if (event === ("hub:ping" satisfies typeof ControlEvent.ping))
      this.send(this.#parts.codec.encode({ event: "hub:pong" satisfies typeof ControlEvent.pong }));
    else this.#report.event(packet, this);
  }

  #welcome(welcome: Welcome): void {
    const { heartbeat, protocol, timeout } = welcome;
    if (protocol === PROTOCOL_VERSION) {
      this.#limit = heartbeat + timeout || Infinity;
      this.check();
      this.#report.welcome(welcome);
    } else this.drop(`The server speaks version ${protocol}.`, 4004 satisfies typeof CloseCode.unsupportedVersion);
  }
}

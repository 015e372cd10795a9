import { HubError, RemoteError } from "../errors.ts";
import type { HubTypes } from "../event-types.ts";
import { CloseCode, type Close } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import { ControlEvent, isReply, type EventPacket, type Packet, type ReplyPacket } from "../protocol/packet.ts";
import type { Socket } from "../hub/socket.ts";
import type { MemoryCloseEvent, MemoryWebSocket } from "../transports/memory/web-socket.ts";
import { Mailbox } from "./mailbox.ts";
import { TestRefusal } from "./test-refusal.ts";

/** A packet, or, for any other message, its text or bytes. */
export type TestMessage = Packet | string | Uint8Array;

/** A request that waits for its reply. */
interface PendingRequest {
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A plain client of a hub in memory, made by {@link TestHub.connect}. */
export class TestClient<T extends HubTypes = HubTypes> {
  /**
   * A promise that resolves when the connection has ended, whichever end closed it. A stalled client does not notice.
   */
  readonly closed: Promise<Close>;
  /** A promise that resolves when the hub accepts the handshake. @internal */
  readonly opened: Promise<void>;
  readonly #webSocket: MemoryWebSocket;
  readonly #codec: Codec;
  readonly #findSocket: () => Socket<T> | undefined;
  readonly #received: TestMessage[] = [];
  readonly #mailbox = new Mailbox<TestMessage>();
  readonly #pending = new Map<number, PendingRequest>();
  #lastId = 0;
  #close: Close | undefined;

  /** @internal */
  constructor(webSocket: MemoryWebSocket, codec: Codec, findSocket: () => Socket<T> | undefined) {
    this.#webSocket = webSocket;
    this.#codec = codec;
    this.#findSocket = findSocket;
    this.closed = new Promise((resolve) => {
      webSocket.addEventListener("close", (event) => {
        const { code, reason } = event as MemoryCloseEvent;
        this.#end({ code, reason });
        resolve({ code, reason });
      });
    });
    this.opened = new Promise((resolve, reject) => {
      webSocket.addEventListener("open", () => resolve());
      webSocket.addEventListener("close", () => reject(refusalOf(webSocket)));
    });
    webSocket.addEventListener("message", (event) => {
      const data: unknown = (event as MessageEvent).data;
      this.#receive(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
    });
  }

  /**
   * The hub's socket of this client. It can still be read after the connection has ended.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` when the hub has no socket yet: a client that offered the subprotocol of
   *   library clients has to send `hub:hello` first.
   */
  get socket(): Socket<T> {
    const socket = this.#findSocket();
    if (socket !== undefined) return socket;
    throw new HubError("ERR_HUB_ARGUMENT", "The hub has no socket for this client yet: send hub:hello and settle().");
  }

  /** The subprotocol that was agreed on, or an empty string. */
  get protocol(): string {
    return this.#webSocket.protocol;
  }

  /** All messages so far, in order, except `hub:welcome` and the replies to {@link request}. */
  get received(): readonly TestMessage[] {
    return this.#received;
  }

  /**
   * Waits for the next message of {@link received}, or for the next event of a name, and takes it. Other messages stay.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_DISCONNECTED` when the connection ends before such a message arrives.
   */
  next(): Promise<TestMessage>;
  next(event: string): Promise<EventPacket>;
  next(event?: string): Promise<TestMessage> {
    return this.#mailbox.take((message) => event === undefined || eventOf(message) === event);
  }

  /** Sends an event. Nothing is checked, so that a test can send what the hub should refuse. */
  emit(event: string, data?: unknown): void {
    this.#send({ event, data });
  }

  /**
   * Sends a request.
   *
   * @returns a promise of the data of the reply.
   * @throws {HubError} as a rejection: a `RemoteError` with the `reason` of the hub's error, or
   *   `ERR_HUB_DISCONNECTED` when the connection ends before the hub replies.
   */
  request(event: string, data?: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#close !== undefined) return reject(disconnected(this.#close));
      this.#pending.set(id, { resolve, reject });
      this.#send({ event, id, data });
    });
  }

  /**
   * Replies to a request of the hub, which {@link next} returned.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` for an event that is no request.
   */
  reply({ id }: EventPacket, data?: unknown): void {
    if (id === undefined) throw new HubError("ERR_HUB_ARGUMENT", "Only a request can be answered: it has an id.");
    this.#send({ reply: id, data });
  }

  /** Sends a message as it is, a string as text and bytes as binary. */
  send(message: string | Uint8Array): void {
    this.#webSocket.send(message);
  }

  /** Stops reading: messages pile up on the hub's side, and its pings are not answered. */
  stall(): void {
    this.#webSocket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#webSocket.resume();
  }

  /** Closes the connection as a browser does. Default: no code, which the hub sees as 1005. */
  close(code?: number, reason?: string): void {
    this.#webSocket.close(code, reason);
  }

  /** Breaks the connection without a close frame. The hub sees 1006. */
  vanish(): void {
    this.#webSocket.terminate();
  }

  #send(packet: Packet): void {
    this.#webSocket.send(this.#codec.encode(packet));
  }

  #receive(message: string | Uint8Array): void {
    const packet = this.#decode(message);
    if (eventOf(packet) === ControlEvent.welcome) return;
    if (typeof packet === "object" && "reply" in packet && this.#answer(packet)) return;
    this.#received.push(packet);
    this.#mailbox.push(packet);
  }

  #decode(message: string | Uint8Array): TestMessage {
    try {
      return (this.#codec.decode(message) as Packet | undefined) ?? message;
    } catch {
      // The message is no packet: the hub sent it with `send`.
      return message;
    }
  }

  #answer({ reply, data, error }: ReplyPacket): boolean {
    const request = this.#pending.get(reply);
    if (request === undefined) return false;
    this.#pending.delete(reply);
    if (error === undefined) request.resolve(data);
    else request.reject(new RemoteError(error.code, error.message, { data: error.data }));
    return true;
  }

  #end(close: Close): void {
    this.#close = close;
    this.#mailbox.end(() => disconnected(close));
    for (const { reject } of this.#pending.values()) reject(disconnected(close));
  }
}

/** Returns the name of an event; the result is `undefined` for any other message. */
function eventOf(message: TestMessage): string | undefined {
  const isPacket = typeof message === "object" && !(message instanceof Uint8Array);
  return isPacket && !isReply(message) ? message.event : undefined;
}

function disconnected({ code, reason }: Close): HubError {
  return new HubError("ERR_HUB_DISCONNECTED", `The connection has ended with ${code}${reason && ` (${reason})`}.`);
}

function refusalOf({ refusal }: MemoryWebSocket): Error {
  return refusal === undefined ? disconnected({ code: CloseCode.abnormal, reason: "" }) : new TestRefusal(refusal);
}

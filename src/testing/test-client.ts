import { HubError, RemoteError } from "../errors.ts";
import type { HubTypes } from "../event-types.ts";
import { CloseCode } from "../protocol/close-codes.ts";
import type { Codec } from "../protocol/codec.ts";
import { ControlEvent, isReply, type EventPacket, type Packet, type ReplyPacket } from "../protocol/packet.ts";
import type { Socket } from "../hub/socket.ts";
import type { MemoryCloseEvent, MemoryWebSocket } from "../transports/memory/web-socket.ts";
import { Mailbox } from "./mailbox.ts";
import type { SuiteClosing } from "./suite-client.ts";
import { TestRefusal } from "./test-refusal.ts";

/** A packet, or a message that is none as it came: text or bytes. */
export type TestMessage = Packet | string | Uint8Array;

interface Question {
  readonly resolve: (data: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A plain client of a hub in memory. Made by {@link TestHub.connect}. */
export class TestClient<T extends HubTypes = HubTypes> {
  /** Resolves when the connection has ended, whichever end did it. A client that is stalled does not notice. */
  readonly closed: Promise<SuiteClosing>;
  /** Resolves when the handshake is accepted. @internal */
  readonly opened: Promise<void>;
  readonly #webSocket: MemoryWebSocket;
  readonly #codec: Codec;
  readonly #findSocket: () => Socket<T> | undefined;
  readonly #received: TestMessage[] = [];
  readonly #mailbox = new Mailbox<TestMessage>();
  readonly #questions = new Map<number, Question>();
  #lastId = 0;
  #ending: SuiteClosing | undefined;

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
   * The hub's end of the connection; after its end, too.
   *
   * @throws {HubError} `ERR_HUB_ARGUMENT` where the hub has not let the client in: one that offered the subprotocol of
   *   library clients says `hub:hello` first.
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

  /** Everything that has come so far, in order, but for `hub:welcome` and the replies to {@link request}. */
  get received(): readonly TestMessage[] {
    return this.#received;
  }

  /**
   * Takes the next of the messages in {@link received} as soon as it is there, or the next event of this name; others stay
   * to be taken.
   *
   * @throws {HubError} as a rejection: `ERR_HUB_DISCONNECTED` when the connection ends before it has come.
   */
  next(): Promise<TestMessage>;
  next(event: string): Promise<EventPacket>;
  next(event?: string): Promise<TestMessage> {
    return this.#mailbox.take((message) => event === undefined || eventOf(message) === event);
  }

  /** Sends an event. Nothing is checked: it is for the hub to refuse what it should not get. */
  emit(event: string, data?: unknown): void {
    this.#send({ event, data });
  }

  /**
   * Sends a request.
   *
   * @returns the data of the reply.
   * @throws {HubError} as a rejection: a {@link RemoteError} with the `reason` that the hub gives, `ERR_HUB_DISCONNECTED`
   *   when the connection ends before it has answered.
   */
  request(event: string, data?: unknown): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#ending !== undefined) return reject(disconnected(this.#ending));
      this.#questions.set(id, { resolve, reject });
      this.#send({ event, id, data });
    });
  }

  /** Answers a request of the hub's, which {@link next} has given. */
  reply({ id }: EventPacket, data?: unknown): void {
    if (id === undefined) throw new HubError("ERR_HUB_ARGUMENT", "Only a request can be answered: it has an id.");
    this.#send({ reply: id, data });
  }

  /** Sends a message as it is: a string as text, bytes as binary. */
  send(message: string | Uint8Array): void {
    this.#webSocket.send(message);
  }

  /** Stops reading: what the hub sends piles up on its side, and its pings are not answered. */
  stall(): void {
    this.#webSocket.pause();
  }

  /** Reads again. */
  resume(): void {
    this.#webSocket.resume();
  }

  /** Closes the connection as a browser would; the default has no code, which the hub sees as 1005. */
  close(code?: number, reason?: string): void {
    this.#webSocket.close(code, reason);
  }

  /** Breaks the connection without a word. The hub sees 1006. */
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
      // The hub has sent it with `send`.
      return message;
    }
  }

  #answer({ reply, data, error }: ReplyPacket): boolean {
    const question = this.#questions.get(reply);
    if (question === undefined) return false;
    this.#questions.delete(reply);
    if (error === undefined) question.resolve(data);
    else question.reject(new RemoteError(error.code, error.message));
    return true;
  }

  #end(ending: SuiteClosing): void {
    this.#ending = ending;
    this.#mailbox.end(() => disconnected(ending));
    for (const { reject } of this.#questions.values()) reject(disconnected(ending));
  }
}

/** The name of the event; `undefined` for what is none. */
function eventOf(message: TestMessage): string | undefined {
  const isPacket = typeof message === "object" && !(message instanceof Uint8Array);
  return isPacket && !isReply(message) ? message.event : undefined;
}

function disconnected({ code, reason }: SuiteClosing): HubError {
  return new HubError("ERR_HUB_DISCONNECTED", `The connection has ended with ${code}${reason && ` (${reason})`}.`);
}

function refusalOf({ refusal }: MemoryWebSocket): Error {
  return refusal === undefined ? disconnected({ code: CloseCode.abnormal, reason: "" }) : new TestRefusal(refusal);
}

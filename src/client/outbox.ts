import type { ReplyPacket } from "../protocol/packet.ts";
import { ClientError, closed, dropped, remote } from "./errors.ts";
import type { ClientListeners } from "./listeners.ts";
import { encode } from "./packet-format.ts";
import type { ResolvedConnectOptions } from "./options.ts";
import type { Uplink } from "./uplink.ts";

/** The time to wait for an answer of the server, in milliseconds, unless the call says otherwise. */
export const DEFAULT_TIMEOUT = 10_000;

/** Settles a task: with an error, or with the data of a reply. Returns `false` if the task had settled before. */
export type Settle = (error?: unknown, data?: unknown) => boolean;

/** What is sent, or waited for. */
export interface Wanted {
  /** The name of the event, or what else is waited for, for errors. */
  readonly event: string;
  /** The message; `null` if nothing is sent. Without it, a request is encoded of the next fields. */
  readonly message?: string | Uint8Array | null;
  readonly data?: unknown;
  readonly key?: string | undefined;
  /** Whether a request is sent again on the next connection; `undefined` for what has no reply. */
  readonly repeatable?: boolean | undefined;
  /** The time after which the task fails, in milliseconds. */
  readonly timeout?: number;
  /** A signal with whose reason the task fails when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Something that has not settled: an event that waits for a connection, or a call that waits for the server. */
interface Task extends Pick<Wanted, "event" | "repeatable"> {
  readonly message: string | Uint8Array | null;
  isSent?: boolean;
  /** The bytes that the task takes in the queue. */
  size: number;
  readonly settle: Settle;
}

/**
 * What the client has to send and what it waits for, in order. Events and requests that wait for a connection are
 * bounded. Every task settles exactly once.
 */
export class Outbox {
  readonly #options: Pick<ResolvedConnectOptions, "codec" | "contract" | "queue">;
  readonly #listeners: ClientListeners;
  readonly #uplink: Pick<Uplink, "ending" | "link" | "state" | "welcome">;
  #lastId = 0;
  readonly #tasks = new Map<number, Task>();
  #bytes = 0;

  constructor(
    options: Pick<ResolvedConnectOptions, "codec" | "contract" | "queue">,
    listeners: ClientListeners,
    uplink: Pick<Uplink, "ending" | "link" | "state" | "welcome">,
  ) {
    this.#options = options;
    this.#listeners = listeners;
    this.#uplink = uplink;
  }

  /**
   * Sends an event or another message, or queues it until there is a connection. If it has to be dropped, this is reported.
   *
   * @throws {ClientError} `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`.
   */
  post(event: string, message: string | Uint8Array): void {
    this.add({ event, message }, this.#listeners.report);
  }

  /** Adds a task. Resolves with the data of the reply. */
  expect(wanted: Wanted, concluded?: () => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.add(wanted, (error, data) => {
        concluded?.();
        if (error) reject(error);
        else resolve(data);
      });
    });
  }

  /**
   * Adds a task.
   *
   * @param conclude - called once, when the task settles, with the error or the data of the reply.
   * @throws {ClientError} `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`, `ERR_CLIENT_UNSERIALISABLE`.
   */
  add(
    { event, data, key, message, repeatable, signal, timeout }: Wanted,
    conclude: (...how: Parameters<Settle>) => void,
  ): Settle {
    const { ending, link, state } = this.#uplink;
    const { maxBytes, policy } = this.#options.queue;
    // Some platforms have no `throwIfAborted`, or give no reason.
    const abort = (): unknown => settle(signal?.reason || dropped(event));
    if (signal?.aborted) throw signal.reason || dropped(event);
    if (state === "closed") throw closed(ending);
    const id = ++this.#lastId;
    if (message === undefined) message = encode(this.#options, { event, data, id, key });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle: Settle = (...how) => {
      if (!this.#tasks.delete(id)) return false;
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      this.#bytes -= task.size;
      conclude(...how);
      return true;
    };
    // Its text, and what it takes beside that.
    const size = message === null ? 0 : 64 + message.length;
    const task: Task = { event, message, repeatable, size, settle };
    // What waits for the server is not more than what was sent to it at once.
    const isQueued = size && !link;
    if (isQueued && (size > maxBytes || (policy === "reject" && this.#bytes + size > maxBytes)))
      throw new ClientError("ERR_CLIENT_QUEUE_FULL", `More than ${maxBytes} bytes wait.`);
    signal?.addEventListener("abort", abort);
    if (timeout)
      timer = setTimeout(
        () => settle(new ClientError("ERR_CLIENT_TIMEOUT", `No reply to "${event}" within ${timeout} ms.`)),
        timeout,
      );
    this.#tasks.set(id, task);
    this.#bytes += size;
    this.#send(id, task);
    if (isQueued)
      for (const other of this.#tasks.values()) {
        if (this.#bytes <= maxBytes) break;
        if (other.size) other.settle(dropped(other.event));
      }
    return settle;
  }

  /** Settles the request that the reply belongs to. A reply to no pending request is ignored. */
  replied({ data, error, reply }: ReplyPacket): void {
    if (reply) this.#tasks.get(reply)?.settle(error && remote(error), data);
    else this.flush(this.#uplink.welcome?.window);
  }

  /**
   * Sends what waits, as far as it fits.
   *
   * @param window - the bytes that the server takes before it is asked again; any number if absent.
   */
  flush(window?: number): void {
    const { link } = this.#uplink;
    if (link) link.left = window;
    for (const [id, task] of this.#tasks) this.#send(id, task);
  }

  /** Called when the connection has ended; with an error when the client is closed, which settles everything. */
  disconnected(error?: ClientError | false): void {
    for (const task of this.#tasks.values()) {
      const { event, isSent, repeatable, settle } = task;
      if (error) settle(repeatable === undefined ? dropped(event) : error);
      // Rooms end with their connection: the client has left, or asks for them on the next one.
      else if (event.startsWith("hub:")) settle();
      else if (isSent) {
        task.isSent = false;
        if (!repeatable)
          settle(new ClientError("ERR_CLIENT_DISCONNECTED", `No reply to "${event}": the connection was lost.`));
      }
    }
  }

  #send(id: number, task: Task): void {
    const { isSent, message, repeatable, size } = task;
    const { link } = this.#uplink;
    if (isSent || message === null || !link || (link.left as number) < 0) return;
    link.send(message);
    task.isSent = true;
    this.#bytes -= size;
    task.size = 0;
    // An event has no reply.
    if (repeatable === undefined) this.#tasks.delete(id);
  }
}

import type { ReplyPacket } from "../protocol/packet.ts";
import { ClientError, closed, dropped, remote } from "./errors.ts";
import type { QueueLimits, RequestOptions } from "./sending-options.ts";
import type { Uplink } from "./uplink.ts";

/** The time to wait for an answer of the server, in milliseconds, unless the call says otherwise. */
export const DEFAULT_TIMEOUT = 10_000;

/** Settles a task: with an error, or with the data of a reply. Returns `false` if the task had settled before. */
export type Settle = (error?: unknown, data?: unknown) => boolean;

/** What is expected of the server. */
export interface Expectation extends Omit<RequestOptions, "idempotent"> {
  /** The name of the event, or what else is waited for, for errors. */
  readonly event: string;
  /** Encodes the request with this number, which no other of this client has. Without it, nothing is sent. */
  readonly encode?: (id: number) => string | Uint8Array;
  /** Whether the request is sent again on the next connection. */
  readonly repeatable?: boolean;
}

/** Something that has not settled: an event that waits for a connection, or a call that waits for the server. */
interface Task {
  readonly event: string;
  readonly message: string | Uint8Array | undefined;
  /** Whether a reply is awaited, and the message may be sent again if the connection is lost before it. */
  readonly repeatable?: boolean;
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
  readonly #limits: QueueLimits;
  readonly #uplink: Pick<Uplink, "ending" | "link" | "state" | "window">;
  readonly #tasks = new Map<number, Task>();
  readonly #failed: (error: unknown) => void;
  #bytes = 0;
  #lastId = 0;

  /** @param failed - called with the error for an event that was queued and will not be sent. */
  constructor(
    limits: QueueLimits,
    uplink: Pick<Uplink, "ending" | "link" | "state" | "window">,
    failed: (error: unknown) => void,
  ) {
    this.#limits = limits;
    this.#uplink = uplink;
    this.#failed = failed;
  }

  /**
   * Sends a message, or queues it until there is a connection.
   *
   * @throws {ClientError} `ERR_CLIENT_CLOSED`, `ERR_CLIENT_QUEUE_FULL`.
   */
  post(event: string, message: string | Uint8Array): void {
    this.#add(++this.#lastId, { event, message }, this.#failed);
  }

  /**
   * Waits for the server, after a request or without one.
   *
   * @param started - called with the function that settles the promise.
   * @returns the data of the reply.
   */
  async expect(
    { event, encode, repeatable = false, timeout, signal }: Expectation,
    started?: (settle: Settle) => void,
  ): Promise<unknown> {
    // Some platforms have no `throwIfAborted`, or give no reason.
    if (signal?.aborted) throw signal.reason || dropped(event);
    const id = ++this.#lastId;
    const message = encode?.(id);
    return new Promise((resolve, reject) => {
      const abort = (): unknown => settle?.(signal?.reason || dropped(event));
      // Whoever is told of what had to make room may settle this, too, such as a listener that closes the client.
      let settle: Settle | undefined;
      let timer: ReturnType<typeof setTimeout> | undefined;
      settle = this.#add(id, { event, message, repeatable }, (error, data) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        if (error) reject(error);
        else resolve(data);
      });
      if (timeout)
        timer = setTimeout(
          () => settle(new ClientError("ERR_CLIENT_TIMEOUT", `No reply to "${event}" within ${timeout} ms.`)),
          timeout,
        );
      signal?.addEventListener("abort", abort);
      started?.(settle);
    });
  }

  /** Settles the request that the reply belongs to. A reply to no pending request is ignored. */
  replied({ data, error, reply }: ReplyPacket): void {
    if (reply) this.#tasks.get(reply)?.settle(error && remote(error), data);
    else this.flush(this.#uplink.window);
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

  /** Called when the connection has ended. */
  disconnected(): void {
    for (const task of this.#tasks.values()) {
      // Rooms end with their connection: the client has left, or asks for them on the next one.
      if (task.event.startsWith("hub:")) task.settle();
      else if (task.isSent) {
        task.isSent = false;
        if (!task.repeatable)
          task.settle(
            new ClientError("ERR_CLIENT_DISCONNECTED", `No reply to "${task.event}": the connection was lost.`),
          );
      }
    }
  }

  /** Settles all tasks, because the client is closed. */
  close(error: ClientError): void {
    for (const { event, repeatable, settle } of this.#tasks.values()) {
      settle(repeatable === undefined ? dropped(event) : error);
    }
  }

  #add(
    id: number,
    wanted: Pick<Task, "event" | "message" | "repeatable">,
    conclude: (...how: Parameters<Settle>) => void,
  ): Settle {
    const { ending, state } = this.#uplink;
    if (state === "closed") throw closed(ending);
    const settle: Settle = (...how) => {
      if (!this.#tasks.delete(id)) return false;
      this.#bytes -= task.size;
      conclude(...how);
      return true;
    };
    const task: Task = { ...wanted, size: 0, settle };
    this.#tasks.set(id, task);
    this.#send(id, task);
    const { isSent, message } = task;
    if (message && !isSent) {
      const { maxBytes, policy } = this.#limits;
      // Its text, and what it takes beside that.
      task.size = 64 + message.length;
      this.#bytes += task.size;
      // What waits for the server is not more than what was sent to it at once.
      if (!this.#uplink.link) {
        if (task.size > maxBytes || (policy === "reject" && this.#bytes > maxBytes)) {
          this.#tasks.delete(id);
          this.#bytes -= task.size;
          throw new ClientError("ERR_CLIENT_QUEUE_FULL", `More than ${maxBytes} bytes wait.`);
        }
        for (const other of this.#tasks.values()) {
          if (this.#bytes <= maxBytes) break;
          if (other.size) other.settle(dropped(other.event));
        }
      }
    }
    return settle;
  }

  #send(id: number, task: Task): void {
    const { isSent, message, repeatable, size } = task;
    const { link } = this.#uplink;
    if (isSent || !message || !link || (link.left as number) < 0) return;
    link.send(message);
    task.isSent = true;
    this.#bytes -= size;
    task.size = 0;
    // An event has no reply.
    if (repeatable === undefined) this.#tasks.delete(id);
  }
}

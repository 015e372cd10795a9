import type { Msg, MsgHdrs, NatsConnection, PermissionViolationError, Subscription } from "@nats-io/transport-node";
import { nanoid } from "nanoid";
import { createDeferred, type Deferred } from "../../deferred.ts";
import { within } from "../shared/deadline.ts";

/** The time that the server may take for an answer, in milliseconds. */
const TIMEOUT = 5_000;

const EMPTY = new Uint8Array(0);

/** A request that the server has not answered. */
interface Request {
  readonly subject: string;
  readonly answered: Deferred<Msg>;
}

/** The server does not take a request, so that nothing has come of it. */
export class RefusedError extends Error {}

/**
 * Requests to the server. All answers come to one subscription, which is made with the first request, and is below the prefix
 * of the backplane. The one of the package would need another permission.
 */
export class Requests {
  readonly #connection: NatsConnection;
  readonly #inbox: string;
  readonly #open = new Map<string, Request>();
  #subscription: Subscription | undefined;
  #last = 0;
  /** Why there are no answers any more. */
  #end: Error | undefined;

  constructor(connection: NatsConnection, prefix: string) {
    this.#connection = connection;
    this.#inbox = `${prefix}.reply.${nanoid()}`;
  }

  /**
   * Asks the server.
   *
   * @throws {RefusedError} as a rejection. All other rejections mean that nobody knows what has come of it.
   */
  async ask(subject: string, payload: string | Uint8Array, headers?: MsgHdrs): Promise<Msg> {
    this.#listen();
    const number = `${++this.#last}`;
    const answered = createDeferred<Msg>();
    this.#open.set(number, { subject, answered });
    try {
      const options = { reply: `${this.#inbox}.${number}`, ...(headers === undefined ? undefined : { headers }) };
      this.#connection.publish(subject, payload, options);
      return await within(TIMEOUT, `The answer of NATS to ${subject}`, answered.promise);
    } finally {
      this.#open.delete(number);
    }
  }

  /**
   * Finds out which subjects nobody has subscribed to: the server says so of an empty message that asks for a reply, before it
   * answers to a flush. Subscribers get this message.
   *
   * @param flush - resolves when the server has answered to everything that was sent before.
   * @throws {RefusedError} as {@link ask}.
   */
  async deserted(subjects: readonly string[], flush: () => Promise<void>): Promise<ReadonlySet<string>> {
    this.#listen();
    const deserted = new Set<string>();
    const numbers: string[] = [];
    let refusal: Error | undefined;
    for (const subject of subjects) {
      const number = `${++this.#last}`;
      const answered = createDeferred<Msg>();
      answered.promise.then(
        (answer) => isUnheard(answer) && deserted.add(subject),
        (error: Error) => (refusal = error),
      );
      this.#open.set(number, { subject, answered });
      numbers.push(number);
      this.#connection.publish(subject, EMPTY, { reply: `${this.#inbox}.${number}` });
    }
    try {
      await flush();
    } finally {
      for (const number of numbers) this.#open.delete(number);
    }
    if (refusal !== undefined) throw refusal;
    return deserted;
  }

  /** Takes a request that the server does not permit. */
  forbidden(error: PermissionViolationError): void {
    for (const { subject, answered } of this.#open.values()) {
      if (subject === error.subject) answered.reject(new RefusedError(error.message, { cause: error }));
    }
  }

  /** Subscribes to the answers, unless that was done. */
  #listen(): void {
    if (this.#end !== undefined) throw this.#end;
    this.#subscription ??= this.#connection.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error !== null) this.end(new RefusedError(`The server lets nobody hear its answers. ${error.message}`));
        else this.#open.get(message.subject.slice(this.#inbox.length + 1))?.answered.resolve(message);
      },
    });
  }

  /** Rejects all requests, now and later. */
  end(error: Error): void {
    this.#end ??= error;
    for (const { answered } of this.#open.values()) answered.reject(error);
    this.#subscription?.unsubscribe();
  }
}

/** Returns whether nobody has heard a request. */
export function isUnheard({ data, headers }: Msg): boolean {
  return data.byteLength === 0 && headers?.code === 503;
}

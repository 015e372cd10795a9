import { forEach, later } from "../../guard.ts";
import type { TransportHandlers } from "../transport.ts";

/** The time between two looks at the connections that are closing, in milliseconds. */
const LOOK_INTERVAL = 1_000;

// All bounds are numbers of looks. A connection begins between two looks, so a bound of n seconds is n + 1 looks.

/** The bound without progress, while something is outstanding: 30 seconds. */
const IDLE_LOOKS = 31;

/** The bound for the client's answer once everything is taken, before the allowance for unconfirmed bytes: 5 seconds. */
const ANSWER_LOOKS = 6;

/** The bound of the whole close, before the allowance for outstanding and unconfirmed bytes: 30 seconds. */
const TOTAL_LOOKS = 31;

/** The bound of a client that is expelled: a second. */
const EXPELLED_LOOKS = 2;

/** The bound for the answer of a client that has nothing to speak of to read, while the transport is destroyed: a second. */
const HURRIED_LOOKS = 2;

/** The speed at which the slowest client reads that still gets everything, in bytes per second. */
const LEAST_SPEED = 16 * 1024;

/** The most that an operating system holds for a client by default, in bytes. */
const MOST_UNSEEN = 4 * 1024 * 1024;

/**
 * The number of unconfirmed bytes that are nothing to speak of. A connection with more of them can be reset before the
 * client has read them.
 */
export const LIGHT_BYTES: number = 64 * 1024;

/** A connection that is closing, as {@link Closings} sees it. */
export interface Closing {
  /** The number of bytes that the operating system has not taken. */
  readonly outstanding: number;
  /** Called when the operating system took everything, but the client has not answered in time. */
  unanswered(): void;
  /** Ends the connection at once. */
  terminate(): void;
}

/** A connection whose library does not tell when its descriptor is free. */
export interface Ended {
  /** Called when the descriptor is free. */
  freed(): void;
}

/** What a closing connection may take, in looks, and how far it is. */
interface Watch {
  /** The number of looks in a row that may see no progress. */
  readonly idleLooks: number;
  /** The number of looks in a row that may see nothing outstanding: the time for the client's answer. */
  answerLooks: number;
  /** The number of looks in all. */
  readonly totalLooks: number;
  /** Whether nothing to speak of was unconfirmed. */
  readonly isLight: boolean;
  outstanding: number;
  idle: number;
  answering: number;
  total: number;
}

/**
 * The connections of a transport that are closing, and the bounds of that. One timer looks at all of them, and runs
 * only while there are any.
 *
 * A client that reads, however slowly, gets everything that was sent before the close. So time alone ends no
 * connection: it has 30 seconds without any progress, and in all as long as a client needs that reads 16 KiB a second.
 * What the operating system has taken shows no progress; for this the client has an allowance at the same speed.
 */
export class Closings {
  readonly #closing = new Map<Closing, Watch>();
  /** For each connection that has ended, the number of looks until its descriptor is free. */
  readonly #ended = new Map<Ended, number>();
  readonly #handlers: Pick<TransportHandlers, "error">;
  #timer: NodeJS.Timeout | undefined;
  /** Called when no connection is closing any more; present once the transport is being destroyed. */
  #finished: (() => void) | undefined;

  /** @param handlers - hear of a connection for which a look fails. */
  constructor(handlers: Pick<TransportHandlers, "error">) {
    this.#handlers = handlers;
  }

  /**
   * Bounds the close of a client that behaves.
   *
   * @param unconfirmed - the number of bytes that the client may not have read yet.
   */
  close(connection: Closing, unconfirmed: number): void {
    const { outstanding } = connection;
    const isLight = unconfirmed <= LIGHT_BYTES;
    this.#watch(connection, {
      idleLooks: IDLE_LOOKS,
      answerLooks:
        isLight && this.#finished !== undefined
          ? HURRIED_LOOKS
          : ANSWER_LOOKS + looksFor(Math.min(unconfirmed, MOST_UNSEEN)),
      totalLooks: TOTAL_LOOKS + looksFor(outstanding + unconfirmed),
      isLight,
      outstanding,
    });
  }

  /** Bounds the close of a client that does harm: a second. */
  expel(connection: Closing): void {
    this.#watch(connection, {
      idleLooks: EXPELLED_LOOKS,
      answerLooks: EXPELLED_LOOKS,
      totalLooks: EXPELLED_LOOKS,
      isLight: true,
      outstanding: connection.outstanding,
    });
  }

  /** Returns whether a connection is closing. */
  has(connection: Closing): boolean {
    return this.#closing.has(connection);
  }

  /** Forgets a connection that is closing no more. */
  delete(connection: Closing): void {
    this.#closing.delete(connection);
    if (this.#closing.size === 0) this.#finished?.();
  }

  /** Waits until the library has freed the descriptor of a connection that has ended: at most so many seconds. */
  ended(connection: Ended, seconds: number): void {
    this.#ended.set(connection, seconds + 1);
    this.#start();
  }

  /** Notes that the descriptors of all connections that have ended are free. */
  allFreed(): void {
    for (const connection of this.#ended.keys()) this.#free(connection);
  }

  /**
   * Resolves when no connection is closing any more. From now on a client that has nothing to speak of to read has one
   * second to answer.
   *
   * @param within - the time after which all that is left is terminated, in milliseconds. Default: none but the bounds.
   */
  async finish(within?: number): Promise<void> {
    if (this.#closing.size === 0) return;
    // The next look is a whole second away, so that one look is enough for those that can answer already.
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#start();
    for (const [{ outstanding }, watch] of this.#closing) {
      watch.answering = 0;
      if (watch.isLight) watch.answerLooks = outstanding === 0 ? 1 : HURRIED_LOOKS;
    }
    const cut = within === undefined ? undefined : later(this.#handlers, within, this.#terminateAll);
    await new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    clearTimeout(cut);
  }

  #watch(connection: Closing, bounds: Omit<Watch, "idle" | "answering" | "total">): void {
    this.#closing.set(connection, { ...bounds, idle: 0, answering: 0, total: 0 });
    this.#start();
  }

  #free(connection: Ended): void {
    this.#ended.delete(connection);
    connection.freed();
  }

  #start(): void {
    this.#timer ??= later(this.#handlers, LOOK_INTERVAL, this.#look).unref();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    forEach(this.#closing, ([connection, watch]) => look(connection, watch), this.#failed);
    for (const [connection, looks] of this.#ended) {
      if (looks === 1) this.#free(connection);
      else this.#ended.set(connection, looks - 1);
    }
    if (this.#closing.size + this.#ended.size > 0) this.#start();
  };

  readonly #terminateAll = (): void => {
    forEach(this.#closing.keys(), (connection) => connection.terminate(), this.#failed);
  };

  readonly #failed = (_: unknown, error: unknown): void => this.#handlers.error(error);
}

function looksFor(bytes: number): number {
  return Math.ceil((bytes / LEAST_SPEED) * (1_000 / LOOK_INTERVAL));
}

function look(connection: Closing, watch: Watch): void {
  const { outstanding } = connection;
  watch.total++;
  watch.idle = outstanding === 0 || outstanding < watch.outstanding ? 0 : watch.idle + 1;
  watch.answering = outstanding === 0 ? watch.answering + 1 : 0;
  watch.outstanding = outstanding;
  const isOver = watch.total >= watch.totalLooks;
  if (outstanding > 0) {
    if (isOver || watch.idle >= watch.idleLooks) connection.terminate();
  } else if (isOver || watch.answering >= watch.answerLooks) connection.unanswered();
}

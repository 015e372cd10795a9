import { forEach, later } from "../../guard.ts";
import type { TransportHandlers } from "../transport.ts";

/** The time between two looks at the connections that are closing, in milliseconds. */
const LOOK_INTERVAL = 1_000;

/**
 * The number of looks after which the descriptor of a connection is free that was ended with nothing outstanding: the
 * library closes it within four seconds, whatever the client does, and tells nobody.
 */
const ENDED_LOOKS = 6;

/**
 * The number of looks for a connection that the client ended while something was outstanding. The library goes on
 * sending that, cannot be stopped from JavaScript, and does not tell when it is through.
 */
const LINGERING_LOOKS = 31;

/** How long a connection may take for what is outstanding, in looks. */
export interface Patience {
  /** The number of looks in a row that may see no progress. */
  readonly idle: number;
  /** The number of looks in all. */
  readonly total: number;
}

/** For a client that is closed politely: 5 seconds without progress, 30 seconds in all. */
export const POLITE: Patience = { idle: 6, total: 31 };

/** For a client that does harm: a second. */
export const CURT: Patience = { idle: 2, total: 2 };

/** A connection that is closing, as {@link Closings} sees it. */
export interface Closing {
  /** The number of bytes that the operating system has not taken. */
  readonly outstanding: number;
  /** Called when nothing may be outstanding any more. */
  drained(): void;
  /** Ends the connection at once. */
  terminate(): void;
  /** Called when the descriptor is free. */
  freed(): void;
}

/** A connection whose close frame waits until everything before it has gone. */
interface Draining {
  readonly patience: Patience;
  outstanding: number;
  idle: number;
  total: number;
}

/**
 * The connections of a transport that are closing, and whose descriptors are not free. One timer looks at all of
 * them, and runs only while there are any.
 */
export class Closings {
  readonly #draining = new Map<Closing, Draining>();
  /** For each connection that has ended, the number of looks until its descriptor is free. */
  readonly #ended = new Map<Closing, number>();
  readonly #handlers: Pick<TransportHandlers, "error">;
  #isLooking = false;

  /** @param handlers - hear of a connection for which a look fails. */
  constructor(handlers: Pick<TransportHandlers, "error">) {
    this.#handlers = handlers;
  }

  /** Waits until nothing is outstanding, and terminates a connection that takes too long. */
  drain(connection: Closing, patience: Patience): void {
    this.#draining.set(connection, { patience, outstanding: connection.outstanding, idle: 0, total: 0 });
    this.#start();
  }

  /** Waits until the library has closed the descriptor of a connection that has ended. */
  ended(connection: Closing, isLingering: boolean): void {
    this.#draining.delete(connection);
    this.#ended.set(connection, isLingering ? LINGERING_LOOKS : ENDED_LOOKS);
    this.#start();
  }

  /** Notes that the descriptor of a connection is free. */
  freed(connection: Closing): void {
    this.#draining.delete(connection);
    this.#ended.delete(connection);
    connection.freed();
  }

  isDraining(connection: Closing): boolean {
    return this.#draining.has(connection);
  }

  /** Notes that the descriptors of all connections that have ended are free. */
  allFreed(): void {
    for (const connection of this.#ended.keys()) this.freed(connection);
  }

  #start(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    later(this.#handlers, LOOK_INTERVAL, this.#look).unref();
  }

  readonly #look = (): void => {
    this.#isLooking = false;
    const failed = (_: unknown, error: unknown): void => this.#handlers.error(error);
    forEach(this.#draining, ([connection, draining]) => look(connection, draining), failed);
    for (const [connection, looks] of this.#ended) {
      if (looks === 1) this.freed(connection);
      else this.#ended.set(connection, looks - 1);
    }
    if (this.#draining.size + this.#ended.size > 0) this.#start();
  };
}

function look(connection: Closing, draining: Draining): void {
  const { outstanding } = connection;
  draining.total++;
  draining.idle = outstanding < draining.outstanding ? 0 : draining.idle + 1;
  draining.outstanding = outstanding;
  const { idle, total } = draining.patience;
  if (outstanding === 0) connection.drained();
  else if (draining.idle >= idle || draining.total >= total) connection.terminate();
}

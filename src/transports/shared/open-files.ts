import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { HubError } from "../../errors.ts";
import { later } from "../../guard.ts";
import type { TransportHandlers } from "../transport.ts";

/** The time between two looks, in milliseconds. */
const INTERVAL = 1_000;

/**
 * Watches whether the process is at its limit of open files, where it cannot accept connections. Neither Node.js nor
 * uWebSockets.js tells: one closes the connection that it cannot keep, the other tries again and again.
 */
export class OpenFiles {
  readonly #handlers: Pick<TransportHandlers, "error">;
  #isAtLimit = false;
  #timer: NodeJS.Timeout;

  /** Begins to watch. The watch does not keep the process alive. */
  constructor(handlers: Pick<TransportHandlers, "error">) {
    this.#handlers = handlers;
    this.#timer = this.#next();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #next(): NodeJS.Timeout {
    return later(this.#handlers, INTERVAL, this.#look).unref();
  }

  readonly #look = (): void => {
    this.#timer = this.#next();
    const cause = obstacle();
    // Told once each time that the limit is reached.
    if (cause !== undefined && !this.#isAtLimit) this.#handlers.error(new HubError("EMFILE", MESSAGE, { cause }));
    this.#isAtLimit = cause !== undefined;
  };
}

/** Tries to open a file. */
function obstacle(): unknown {
  try {
    closeSync(openSync(devNull, "r"));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EMFILE" || code === "ENFILE" ? error : undefined;
  }
}

const MESSAGE =
  "The process is at its limit of open files, so clients cannot connect. Raise the limit, as with ulimit -n or " +
  'LimitNOFILE of systemd, or keep the option "maxConnections" below it.';

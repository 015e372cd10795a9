import { HubError } from "../errors.ts";
import type { ContractEntries } from "./definition.ts";
import { validate, validateAbsence, type Validation } from "./validation.ts";

/** The verdict of the contract on something that the other side sent. */
export type Acceptance = Validation | UnknownEvent;

/** The verdict on an event that the contract does not have. */
export interface UnknownEvent {
  readonly ok: false;
  /** The contract has no such event in this direction. */
  readonly unknown: true;
}

const UNKNOWN: UnknownEvent = { ok: false, unknown: true };

/** The events that one side sends, and the replies that it gets to its requests. */
export class Direction {
  readonly #entries: ContractEntries;
  readonly #sender: string;

  /** @param sender - for errors: `clients` or `the server`. */
  constructor(entries: ContractEntries, sender: string) {
    this.#entries = entries;
    this.#sender = sender;
  }

  knows(event: string): boolean {
    return this.#entries.has(event);
  }

  validate(event: string, data: unknown): Acceptance {
    const entry = this.#entries.get(event);
    if (entry === undefined) return UNKNOWN;
    return entry.data === undefined ? validateAbsence(data) : validate(entry.data, data, dataOf(event));
  }

  /**
   * Validates a reply. If the contract does not describe the reply, its data is dropped unread: the program expects
   * none.
   */
  validateReply(event: string, data: unknown): Acceptance {
    const entry = this.#entries.get(event);
    if (entry === undefined) return UNKNOWN;
    return entry.reply === undefined ? { ok: true, data: undefined } : validate(entry.reply, data, replyTo(event));
  }

  /**
   * Validates an event's data.
   *
   * @returns the data as the schema returned it.
   * @throws {HubError} `ERR_HUB_CONTRACT`. The message names the path.
   */
  check(event: string, data: unknown): unknown {
    return this.#valid(this.validate(event, data), event, dataOf(event));
  }

  /** Validates a reply. Returns and throws like {@link check}. */
  checkReply(event: string, data: unknown): unknown {
    return this.#valid(this.validateReply(event, data), event, replyTo(event));
  }

  #valid(acceptance: Acceptance, event: string, what: string): unknown {
    if (acceptance.ok) return acceptance.data;
    if ("unknown" in acceptance) {
      throw new HubError(
        "ERR_HUB_CONTRACT",
        `"${event}" is not an event that ${this.#sender} may send under the contract.`,
      );
    }
    if (acceptance.error !== undefined) throw acceptance.error;
    throw new HubError("ERR_HUB_CONTRACT", `${what} does not fit the contract. ${acceptance.message}.`);
  }
}

function dataOf(event: string): string {
  return `The data of "${event}"`;
}

function replyTo(event: string): string {
  return `The reply to "${event}"`;
}

import { HubError } from "../errors.ts";
import type { Entries } from "./definition.ts";
import { validate, validateAbsence, type Validation } from "./validation.ts";

/** What the contract says of something that the other side sent. */
export type Acceptance = Validation | UnknownEvent;

export interface UnknownEvent {
  readonly ok: false;
  /** The contract has no such event in this direction. */
  readonly unknown: true;
}

const UNKNOWN: UnknownEvent = { ok: false, unknown: true };

/** The events that one side sends, and the replies that it gets to them. */
export class Direction {
  readonly #entries: Entries;
  readonly #sender: string;

  /** @param sender - for errors: `clients` or `the server`. */
  constructor(entries: Entries, sender: string) {
    this.#entries = entries;
    this.#sender = sender;
  }

  knows(event: string): boolean {
    return this.#entries.has(event);
  }

  judge(event: string, data: unknown): Acceptance {
    const entry = this.#entries.get(event);
    if (entry === undefined) return UNKNOWN;
    return entry.data === undefined ? validateAbsence(data) : validate(entry.data, data, dataOf(event));
  }

  /** A reply that the contract does not describe is not looked at: there is nothing in it for the program. */
  judgeReply(event: string, data: unknown): Acceptance {
    const entry = this.#entries.get(event);
    if (entry === undefined) return UNKNOWN;
    return entry.reply === undefined ? { ok: true, data: undefined } : validate(entry.reply, data, replyTo(event));
  }

  /**
   * @returns what the schema made of the data.
   * @throws {HubError} `ERR_HUB_CONTRACT` naming the path.
   */
  check(event: string, data: unknown): unknown {
    return this.#valid(this.judge(event, data), event, dataOf(event));
  }

  /** The same for a reply. */
  checkReply(event: string, data: unknown): unknown {
    return this.#valid(this.judgeReply(event, data), event, replyTo(event));
  }

  #valid(acceptance: Acceptance, event: string, what: string): unknown {
    if (acceptance.ok) return acceptance.data;
    if ("unknown" in acceptance) {
      throw new HubError("ERR_HUB_CONTRACT", `"${event}" is no event that ${this.#sender} may send by the contract.`);
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

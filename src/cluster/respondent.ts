import type { Clock, Timer } from "../time/clock.ts";
import { RemoteError, type HubError } from "../errors.ts";
import type { RequestOutcome } from "../members/requests.ts";
import { nodeChannel } from "./channels.ts";
import type { Control, Failing, QueryAnswer } from "./envelope.ts";

/** How long a request may arrive after its probe, where their order is not certain, in milliseconds. */
const PATIENCE = 1_000;

export interface RespondentParts {
  readonly clock: Clock;
  /** Whether what one node publishes to several channels arrives in order. */
  readonly ordered: boolean;
  /** Sends a control to other nodes. */
  readonly tell: (channel: string, control: Control) => void;
}

/** Replies and failures that are sent together. */
interface Outcomes {
  readonly replies: (readonly [string, unknown])[];
  readonly failures: (readonly [string, Failing])[];
}

/** Answers the requests of other nodes: which sockets were asked, what each replied, and that these were all. */
export class Respondent {
  readonly #parts: RespondentParts;
  /** With an unordered engine, the requests that came before their probe, until the probe comes or their time is over. */
  readonly #taken = new Map<number, Timer>();
  /** With an unordered engine, the requests whose probe came first. */
  readonly #missed = new Map<number, Timer>();
  /** The outcomes of this turn of the event loop, by node and request; sent at its end. */
  readonly #outcomes = new Map<string, Map<number, Outcomes>>();

  constructor(parts: RespondentParts) {
    this.#parts = parts;
  }

  /** Answers which sockets of this node were sent the request. */
  asked(from: string, id: number, sockets: readonly string[], timeout: number): void {
    this.#answer(from, { id, asked: sockets });
    if (this.#parts.ordered) return;
    const missed = this.#missed.get(id);
    if (missed === undefined) {
      this.#taken.set(
        id,
        this.#parts.clock.setTimeout(() => this.#taken.delete(id), timeout),
      );
      return;
    }
    missed.cancel();
    this.#missed.delete(id);
    this.#answer(from, { id, complete: true });
  }

  /**
   * Answers, as soon as that is certain, that all sockets of this node which were sent the request have been named.
   *
   * @param mayCome - whether the request may still come in.
   */
  probed(from: string, id: number, mayCome: boolean, timeout: number): void {
    const complete = (): void => this.#answer(from, { id, complete: true });
    const taken = this.#taken.get(id);
    taken?.cancel();
    this.#taken.delete(id);
    if (this.#parts.ordered || taken !== undefined || !mayCome) {
      complete();
      return;
    }
    const giveUp = (): void => {
      this.#missed.delete(id);
      complete();
    };
    this.#missed.set(id, this.#parts.clock.setTimeout(giveUp, Math.min(PATIENCE, timeout / 2)));
  }

  /** Answers what a socket has replied, or that it will not. */
  settled(from: string, id: number, socket: string, outcome: RequestOutcome): void {
    if (this.#outcomes.size === 0) setImmediate(() => this.#flush());
    let requests = this.#outcomes.get(from);
    if (requests === undefined) this.#outcomes.set(from, (requests = new Map<number, Outcomes>()));
    let outcomes = requests.get(id);
    if (outcomes === undefined) requests.set(id, (outcomes = { replies: [], failures: [] }));
    if ("reply" in outcome) outcomes.replies.push([socket, outcome.reply]);
    else outcomes.failures.push([socket, failingOf(outcome)]);
  }

  stop(): void {
    for (const timer of [...this.#taken.values(), ...this.#missed.values()]) timer.cancel();
  }

  #flush(): void {
    for (const [from, requests] of this.#outcomes) {
      for (const [id, outcomes] of requests) this.#answer(from, { id, ...outcomes });
    }
    this.#outcomes.clear();
  }

  #answer(to: string, answer: Omit<QueryAnswer, "type">): void {
    this.#parts.tell(nodeChannel(to), { type: "answer", ...answer });
  }
}

function failingOf(error: HubError): Failing {
  const { code, message } = error;
  return error instanceof RemoteError ? { code, message, reason: error.reason } : { code, message };
}

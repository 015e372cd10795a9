import type { Clock, Timer } from "../time/clock.ts";
import { RemoteError, type HubError } from "../errors.ts";
import { nodeChannel } from "./channels.ts";
import type { Answer, Control, Failing } from "./envelope.ts";

/** How long a request may be behind the question whether it came, where their order is not certain, in milliseconds. */
const PATIENCE = 1_000;

export interface RespondentOptions {
  readonly clock: Clock;
  /** Whether what one node publishes to several channels arrives in order. */
  readonly ordered: boolean;
  readonly tell: (channel: string, control: Control) => void;
}

/** Replies and failures that are told together. */
interface Outcomes {
  readonly replies: (readonly [string, unknown])[];
  readonly failures: (readonly [string, Failing])[];
}

/** Answers the requests that come from other nodes: whom it has asked, what each replied, and that this was all. */
export class Respondent {
  readonly #options: RespondentOptions;
  /** Of unordered engines: requests that were taken, until it is asked for them or nobody is interested any more. */
  readonly #taken = new Map<number, Timer>();
  /** Of unordered engines: requests that were asked for before they came. */
  readonly #missed = new Map<number, Timer>();
  /** What one turn of the event loop brings is told at its end, by node and request. */
  readonly #outcomes = new Map<string, Map<number, Outcomes>>();

  constructor(options: RespondentOptions) {
    this.#options = options;
  }

  /** These sockets of this node were sent the request. */
  asked(from: string, id: number, sockets: readonly string[], timeout: number): void {
    this.#answer(from, { id, asked: sockets });
    if (this.#options.ordered) return;
    const missed = this.#missed.get(id);
    if (missed === undefined) {
      this.#taken.set(
        id,
        this.#options.clock.setTimeout(() => this.#taken.delete(id), timeout),
      );
      return;
    }
    missed.cancel();
    this.#missed.delete(id);
    this.#answer(from, { id, complete: true });
  }

  /**
   * Says when all sockets that this node has for the request have been named.
   *
   * @param mayCome - whether the request may still come in.
   */
  probed(from: string, id: number, mayCome: boolean, timeout: number): void {
    const complete = (): void => this.#answer(from, { id, complete: true });
    const taken = this.#taken.get(id);
    taken?.cancel();
    this.#taken.delete(id);
    if (this.#options.ordered || taken !== undefined || !mayCome) {
      complete();
      return;
    }
    const giveUp = (): void => {
      this.#missed.delete(id);
      complete();
    };
    this.#missed.set(id, this.#options.clock.setTimeout(giveUp, Math.min(PATIENCE, timeout / 2)));
  }

  /** A socket has replied, or will not. */
  settled(from: string, id: number, socket: string, outcome: { readonly reply: unknown } | HubError): void {
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

  #answer(to: string, answer: Omit<Answer, "type">): void {
    this.#options.tell(nodeChannel(to), { type: "answer", ...answer });
  }
}

function failingOf(error: HubError): Failing {
  const { code, message } = error;
  return error instanceof RemoteError ? { code, message, reason: error.reason } : { code, message };
}

import type { Clock, Timer } from "../time/clock.ts";
import { HubError } from "../errors.ts";
import { soon, type Guardian } from "../guard.ts";
import type { UndecodedReply } from "../members/requests.ts";
import { nodeChannel } from "./channels.ts";
import type { Failing, QueryAnswer, RawReply } from "./envelope.ts";

/** The longest time that a request may arrive after its probe, where their order is not certain, in milliseconds. */
const PATIENCE = 1_000;

export interface RespondentParts {
  readonly clock: Clock;
  readonly guardian: Guardian;
  /** Whether messages of one node on several channels arrive in order. */
  readonly ordered: boolean;
  /** Sends an answer to another node. */
  readonly tell: (channel: string, answer: QueryAnswer) => void;
}

/** Replies and failures that are sent together. */
interface QueuedResults {
  readonly replies: RawReply[];
  readonly failures: (readonly [string, Failing])[];
}

/** Answers the requests of other nodes: which sockets were asked, what each replied, and that these were all. */
export class Respondent {
  readonly #parts: RespondentParts;
  /**
   * The requests that arrived before their probe, until the probe arrives or their time is over; used with an unordered
   * engine only.
   */
  readonly #taken = new Map<number, Timer>();
  /** The requests whose probe arrived first; used with an unordered engine only. */
  readonly #missed = new Map<number, Timer>();
  /** The results of this turn of the event loop, by node and request; sent at its end. */
  readonly #queued = new Map<string, Map<number, QueuedResults>>();

  constructor(parts: RespondentParts) {
    this.#parts = parts;
  }

  /** Answers with the sockets of this node that the request was sent to. */
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
   * Answers that all sockets of this node which the request was sent to have been named, as soon as that is certain.
   *
   * @param mayCome - whether the request may still arrive.
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

  /** Answers with the reply of a socket, or with its failure. */
  settled(from: string, id: number, socket: string, codec: string, outcome: UndecodedReply): void {
    if (this.#queued.size === 0) soon(this.#parts.guardian, () => this.#flush());
    let requests = this.#queued.get(from);
    if (requests === undefined) this.#queued.set(from, (requests = new Map<number, QueuedResults>()));
    let results = requests.get(id);
    if (results === undefined) requests.set(id, (results = { replies: [], failures: [] }));
    if (outcome instanceof HubError) results.failures.push([socket, { code: outcome.code, message: outcome.message }]);
    else results.replies.push([socket, codec, outcome]);
  }

  stop(): void {
    for (const timer of [...this.#taken.values(), ...this.#missed.values()]) timer.cancel();
  }

  #flush(): void {
    for (const [from, requests] of this.#queued) {
      for (const [id, { replies, failures }] of requests) this.#answer(from, { id, replies, failures });
    }
    this.#queued.clear();
  }

  #answer(to: string, answer: Omit<QueryAnswer, "type">): void {
    this.#parts.tell(nodeChannel(to), { type: "answer", ...answer });
  }
}

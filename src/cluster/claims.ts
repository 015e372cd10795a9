import type { Receipt, Repeatable, RepeatKeeper, RepeatNodes } from "../members/repeats.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { nodeChannel } from "./channels.ts";
import type { ClaimAnswer, Control } from "./envelope.ts";
import { nodeOf } from "./node-id.ts";
import type { Nodes } from "./nodes.ts";

/** The questions about repeated requests, the answers, and the reports that such a request was handled. */
type ClaimControl = Extract<Control, { readonly type: "claim" | "claimed" | "handled" }>;

export interface ClaimsParts {
  readonly self: string;
  readonly clock: Clock;
  /** The time within which a node has to answer, in milliseconds. */
  readonly lease: number;
  /** What this node knows; `undefined` if it remembers nothing. */
  readonly keeper: RepeatKeeper | undefined;
  readonly nodes: Pick<Nodes, "isAcquainted" | "others">;
  /** Whether the engine is not connected, so that no node can be asked. */
  readonly isCut: () => boolean;
  /** Sends a control to another node, and {@link withoutReply} of it if it is lost. */
  readonly tell: (channel: string, control: ClaimControl) => void;
}

/** A question that has no decision yet. */
interface PendingClaim {
  readonly node: string;
  readonly repeatable: Repeatable;
  /** The timer of the first answer. */
  readonly deadline: Timer;
  /** The timer of the repetition of the question. */
  repetition: Timer;
  readonly decide: (receipt: Receipt) => void;
  /** Settles the decision of a node that has said that the request is being handled. */
  later: ((receipt: Receipt) => void) | undefined;
}

/** A request that another node lets this one handle. */
interface HeldRequest {
  readonly node: string;
  /** The timer by which the other node hears that the request is still being handled. */
  renewal: Timer;
}

const NEW: Receipt = { isNew: true };
const GONE: Receipt = { isNew: false, isGone: true };

/** The number of times that a question is asked in each lease: two of them may be lost. */
const QUESTIONS_IN_A_LEASE = 3;

/**
 * The questions between nodes about requests that clients have repeated: whether the node to which the client has sent
 * the request first, or one that has asked that node, has handled it. Where no answer can be had, the request is new.
 *
 * An engine loses what is sent in an outage, also in one of a single node's connection. So a question is asked again
 * until it is decided, and a node that has decided it already decides it again. A node that handles the request goes on
 * asking until it has, by which the other one knows that it still does.
 */
export class Claims implements RepeatNodes {
  readonly #parts: ClaimsParts;
  readonly #pending = new Map<number, PendingClaim>();
  /** The requests that this node is handling, as another one has decided, by identity. */
  readonly #held = new Map<string, HeldRequest>();
  /** The questions of other nodes that are not decided, each by its node and number, with its node. */
  readonly #open = new Map<string, string>();
  /** The nodes that have asked while not all nodes were known, and were not known themselves. */
  readonly #strangers = new Set<string>();
  #lastId = 0;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  isThere(socket: string): boolean {
    return nodeOf(socket) === this.#parts.self || this.nodeOf(socket) !== undefined;
  }

  nodeOf(socket: string): string | undefined {
    const { nodes, self } = this.#parts;
    const node = nodeOf(socket);
    if (node === undefined || node === self) return undefined;
    const isAsked = nodes.others.get(node)?.answersClaims ?? !nodes.isAcquainted;
    return isAsked ? node : undefined;
  }

  claim(node: string, repeatable: Repeatable): Promise<Receipt> {
    const { clock, isCut, lease } = this.#parts;
    if (isCut()) return Promise.resolve(NEW);
    const id = ++this.#lastId;
    return new Promise((decide) => {
      const deadline = clock.setTimeout(() => this.#decide(id, NEW), lease);
      const repetition = this.#ask(node, id, repeatable);
      this.#pending.set(id, { node, repeatable, deadline, repetition, decide, later: undefined });
    });
  }

  /** Asks a question, and asks it again while it is not decided, and then while this node handles the request. */
  #ask(node: string, id: number, repeatable: Repeatable): Timer {
    const { clock, lease, tell } = this.#parts;
    tell(nodeChannel(node), { type: "claim", id, ...repeatable });
    const again = (): void => {
      const pending = this.#pending.get(id);
      const held = this.#held.get(repeatable.identity);
      if (pending !== undefined) pending.repetition = this.#ask(node, id, repeatable);
      else if (held !== undefined) held.renewal = this.#ask(node, id, repeatable);
    };
    return clock.setTimeout(again, Math.ceil(lease / QUESTIONS_IN_A_LEASE));
  }

  handled(node: string, repeatable: Repeatable, reply: string | Uint8Array | undefined): void {
    const { tell } = this.#parts;
    this.#release(repeatable.identity);
    tell(nodeChannel(node), { type: "handled", ...repeatable, reply });
  }

  /** Takes a question, an answer or a report of another node. */
  take(from: string, control: ClaimControl): void {
    const { keeper } = this.#parts;
    if (control.type === "claim") this.#question(from, control);
    else if (control.type === "handled") keeper?.handled(control, from, control.reply);
    else if (this.#pending.get(control.id)?.node === from) this.#claimed(control);
  }

  /** Takes note that all other nodes are known: those that are not are gone. */
  acquainted(): void {
    const { others } = this.#parts.nodes;
    for (const node of this.#strangers) if (!others.has(node)) this.went(node);
    this.#strangers.clear();
    for (const [id, { node }] of this.#pending) if (others.get(node)?.answersClaims !== true) this.#decide(id, NEW);
  }

  /** Takes note that a node is gone. */
  went(node: string): void {
    for (const [question, asking] of this.#open) if (asking === node) this.#open.delete(question);
    for (const [id, pending] of this.#pending) if (pending.node === node) this.#decide(id, NEW);
    for (const [identity, held] of this.#held) if (held.node === node) this.#release(identity);
    this.#parts.keeper?.gone(node);
  }

  /** Forgets all questions, because the hub closes: the clients repeat their requests elsewhere. */
  stop(): void {
    for (const { deadline, repetition } of this.#pending.values()) {
      deadline.cancel();
      repetition.cancel();
    }
    this.#pending.clear();
    for (const identity of this.#held.keys()) this.#release(identity);
  }

  /** Decides all questions, because no more answers will come. */
  giveUp(): void {
    for (const id of this.#pending.keys()) this.#decide(id, NEW);
  }

  /**
   * Takes a question of a node that is not known to be gone: its end would not be noticed. A node that has just come asks
   * again.
   */
  #question(from: string, claim: Extract<ClaimControl, { readonly type: "claim" }>): void {
    const { isAcquainted, others } = this.#parts.nodes;
    if (!others.has(from)) {
      if (isAcquainted) return;
      this.#strangers.add(from);
    }
    this.#answer(from, claim);
  }

  #answer(from: string, { id, identity, owner }: Extract<ClaimControl, { readonly type: "claim" }>): void {
    const { keeper, tell } = this.#parts;
    const answer = (receipt: Receipt | undefined): void => tell(nodeChannel(from), { type: "claimed", id, receipt });
    if (keeper === undefined) {
      answer(NEW);
      return;
    }
    const question = `${from}${id}`;
    if (!this.#open.has(question)) {
      this.#open.set(question, from);
      keeper.ask({ identity, owner }, from, (receipt) => {
        this.#open.delete(question);
        answer(receipt);
      });
    }
    if (this.#open.has(question)) answer(undefined);
  }

  #release(identity: string): void {
    this.#held.get(identity)?.renewal.cancel();
    this.#held.delete(identity);
  }

  #claimed({ id, receipt }: ClaimAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (receipt !== undefined) {
      this.#decide(id, receipt);
    } else if (pending.later === undefined) {
      pending.deadline.cancel();
      const later = new Promise<Receipt>((resolve) => {
        pending.later = resolve;
      });
      pending.decide({ isNew: false, later });
    }
  }

  #decide(id: number, receipt: Receipt): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    pending.deadline.cancel();
    const { node, repeatable, repetition } = pending;
    if (receipt.isNew && this.#parts.nodes.others.get(node)?.answersClaims === true) {
      this.#release(repeatable.identity);
      this.#held.set(repeatable.identity, { node, renewal: repetition });
    } else {
      repetition.cancel();
    }
    if (pending.later === undefined) pending.decide(receipt);
    else pending.later(receipt);
  }
}

/** Returns what is told instead of a control that was lost: the same without the reply, which may have been too large. */
export function withoutReply(control: ClaimControl): ClaimControl {
  if (control.type === "handled") return { ...control, reply: undefined };
  if (control.type === "claim" || control.receipt?.reply === undefined) return control;
  return { ...control, receipt: GONE };
}

import type { Receipt, Repeatable, RepeatKeeper, RepeatNodes } from "../members/repeats.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { nodeChannel } from "./channels.ts";
import type { ClaimAnswer, Control } from "./envelope.ts";
import { nodeOf } from "./node-id.ts";
import type { Nodes } from "./nodes.ts";

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
  /** Sends a control to another node. */
  readonly tell: (channel: string, control: Control) => void;
}

/** A question that has no decision yet. */
interface PendingClaim {
  readonly node: string;
  /** The timer of the first answer. */
  readonly timer: Timer;
  readonly decide: (receipt: Receipt) => void;
  /** Settles the decision of a node that has said that the request is being handled. */
  later: ((receipt: Receipt) => void) | undefined;
}

const NEW: Receipt = { isNew: true };

/**
 * The questions between nodes about requests that clients have repeated: whether the node to which the client has sent
 * the request first, or one that has asked that node, has handled it. Where no answer can be had, the request is new.
 */
export class Claims implements RepeatNodes {
  readonly #parts: ClaimsParts;
  readonly #pending = new Map<number, PendingClaim>();
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
    return nodes.others.has(node) || !nodes.isAcquainted ? node : undefined;
  }

  claim(node: string, repeatable: Repeatable): Promise<Receipt> {
    const { clock, isCut, lease, tell } = this.#parts;
    if (isCut()) return Promise.resolve(NEW);
    const id = ++this.#lastId;
    return new Promise((decide) => {
      const timer = clock.setTimeout(() => this.#decide(id, NEW), lease);
      this.#pending.set(id, { node, timer, decide, later: undefined });
      tell(nodeChannel(node), { type: "claim", id, ...repeatable });
    });
  }

  handled(node: string, repeatable: Repeatable, reply: string | Uint8Array | undefined): void {
    this.#parts.tell(nodeChannel(node), { type: "handled", ...repeatable, reply });
  }

  /** Takes a question, an answer or a report of another node. */
  take(from: string, control: Extract<Control, { readonly type: "claim" | "claimed" | "handled" }>): void {
    const { keeper } = this.#parts;
    if (control.type === "claim") this.#answer(from, control);
    else if (control.type === "handled") keeper?.handled(control, from, control.reply);
    else if (this.#pending.get(control.id)?.node === from) this.#claimed(control);
  }

  /** Takes note that a node is gone. */
  went(node: string): void {
    for (const [id, pending] of this.#pending) if (pending.node === node) this.#decide(id, NEW);
    this.#parts.keeper?.gone(node);
  }

  /** Forgets all questions, because the hub closes: the clients repeat their requests elsewhere. */
  stop(): void {
    for (const { timer } of this.#pending.values()) timer.cancel();
    this.#pending.clear();
  }

  /** Decides all questions, because no more answers will come. */
  giveUp(): void {
    for (const id of this.#pending.keys()) this.#decide(id, NEW);
  }

  #answer(from: string, { id, identity, owner }: Extract<Control, { readonly type: "claim" }>): void {
    const { keeper, tell } = this.#parts;
    const answer = (receipt: Receipt | undefined): void => tell(nodeChannel(from), { type: "claimed", id, receipt });
    if (keeper === undefined) {
      answer(NEW);
      return;
    }
    let isDecided = false;
    keeper.ask({ identity, owner }, from, (receipt) => {
      isDecided = true;
      answer(receipt);
    });
    if (!isDecided) answer(undefined);
  }

  #claimed({ id, receipt }: ClaimAnswer): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    if (receipt !== undefined) {
      this.#decide(id, receipt);
    } else if (pending.later === undefined) {
      pending.timer.cancel();
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
    pending.timer.cancel();
    if (pending.later === undefined) pending.decide(receipt);
    else pending.later(receipt);
  }
}

/** Returns what is told instead of a control that was lost: the same without the reply, which may have been too large. */
export function withoutReply(control: Extract<Control, { readonly type: "claimed" | "handled" }>): Control {
  if (control.type === "handled") return { ...control, reply: undefined };
  const { receipt } = control;
  return receipt?.reply === undefined ? control : { ...control, receipt: { isNew: false, isGone: true } };
}

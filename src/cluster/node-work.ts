import { createDeferred, type Deferred } from "../deferred.ts";
import { ByteBudget } from "../limits/byte-budget.ts";
import { LazyContext } from "../members/handler-context.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** The memory that a request takes whose handler is at work on it, besides its data, in bytes. */
const OVERHEAD = 1_024;

/** A request of another node that a handler is at work on. */
export class NodeTask {
  readonly node: string;
  readonly weight: number;
  /** The context of the handler. */
  readonly context: LazyContext = new LazyContext(() => !this.isAwaited);
  /** Whether the other node waits for the reply. */
  isAwaited = true;
  timer: Timer | undefined;

  constructor(node: string, weight: number) {
    this.node = node;
    this.weight = weight;
  }

  /** Notes that the other node does not wait any more, and tells the handler. */
  abort(): void {
    this.isAwaited = false;
    this.context.abort();
  }
}

/**
 * The requests of other nodes that handlers are at work on, within a budget. One whose time is over, or whose node is gone,
 * does not count any more: its handler is told, and a handler that goes on does not keep the room of living requests.
 */
export class NodeWork {
  readonly #clock: Clock;
  readonly #budget: ByteBudget;
  /** The requests of each node that has any. */
  readonly #tasks = new Map<string, Set<NodeTask>>();
  #idle: Deferred | undefined;

  /** @param most - the budget, in bytes. */
  constructor(most: number, clock: Clock) {
    this.#budget = new ByteBudget(most);
    this.#clock = clock;
  }

  /**
   * Begins the work on a request, unless there is no room for it. There always is for one request of each node, because
   * one that is larger than the budget could never be handled otherwise.
   *
   * @param bytes - the size of the data.
   * @param timeout - the time for which the node waits for the reply, in milliseconds.
   */
  begin(node: string, bytes: number, timeout: number): NodeTask | undefined {
    const weight = bytes + OVERHEAD;
    const tasks = this.#tasks.get(node) ?? new Set();
    if (tasks.size > 0 && !this.#budget.allows(node, weight)) return undefined;
    const task = new NodeTask(node, weight);
    task.timer = this.#clock.setTimeout(() => this.#abandon(task), timeout);
    this.#budget.take(node, weight);
    this.#tasks.set(node, tasks.add(task));
    return task;
  }

  /** Ends the work on a request. */
  end(task: NodeTask): void {
    const tasks = this.#tasks.get(task.node);
    if (tasks?.delete(task) !== true) return;
    task.timer?.cancel();
    this.#budget.giveBack(task.node, task.weight);
    if (tasks.size === 0) this.#tasks.delete(task.node);
    if (this.#tasks.size === 0) this.#idle?.resolve();
  }

  /** Abandons the requests of a node that is gone. */
  went(node: string): void {
    for (const task of this.#tasks.get(node) ?? []) this.#abandon(task);
  }

  /** Abandons all requests. */
  stop(): void {
    for (const node of this.#tasks.keys()) this.went(node);
  }

  /** Resolves when no handler is at work. */
  idle(): Promise<void> {
    this.#idle = createDeferred();
    if (this.#tasks.size === 0) this.#idle.resolve();
    return this.#idle.promise;
  }

  #abandon(task: NodeTask): void {
    this.end(task);
    task.abort();
  }
}

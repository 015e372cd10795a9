import type { Clock } from "../time/clock.ts";
import { HubError, type HubErrorCode } from "../errors.ts";
import type { RequestOutcome } from "../members/requests.ts";
import type { QueryAnswer, RawReply } from "./envelope.ts";
import type { NodeDescription, NodesReport } from "./nodes.ts";

/** The answers of the other nodes to a question. */
export interface Findings {
  /** Replies by socket id. */
  readonly replies: ReadonlyMap<string, unknown>;
  /** Failures by socket id. */
  readonly failures: ReadonlyMap<string, HubError>;
  readonly descriptions: readonly unknown[];
  /** The names of the nodes that did not answer. */
  readonly silent: readonly string[];
  /** The rooms that some of the nodes do not hear, although they have sockets in them. */
  readonly refused: readonly string[];
}

/** Reads the reply of a socket. Never throws. */
export type ReadReply = (reply: RawReply) => RequestOutcome;

/** Creates the failure of a socket on a node that answers no more. */
type Reason = (socket: string, node: string) => HubError;

/** A node whose answer is not complete. */
interface Questioned {
  readonly name: string;
  /** The sockets that were asked and have not replied. */
  readonly sockets: Set<string>;
  isComplete: boolean;
}

interface Query {
  readonly read: ReadReply;
  readonly replies: Map<string, unknown>;
  readonly failures: Map<string, HubError>;
  readonly descriptions: unknown[];
  readonly silent: string[];
  readonly refused: string[];
  readonly nodes: Map<string, Questioned>;
  /** The nodes whose answer is complete. */
  readonly done: Set<string>;
  /** Whether nodes that are not known yet are asked as well. */
  isOpen: boolean;
  /** Asks a node again that may have come too late for the question. */
  readonly askAgain: (node: string) => void;
  readonly finish: () => void;
}

/**
 * The questions that this node has asked the others. Each question ends: with the last answer, when the last node has
 * gone, or when its time is over.
 */
export class Queries implements NodesReport {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Query>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Waits for the answers to a question. Never rejects.
   *
   * @param nodes - the known nodes that are asked.
   * @param isOpen - whether nodes that are not known yet are asked as well: then {@link acquainted} says when all are
   *   known.
   * @param timeout - how long all answers may take, in milliseconds.
   * @param askAgain - asks one node again, which has come while the question was open: it may have missed it. Its
   *   answer to the first asking, if there is one, counts as well.
   */
  track(
    id: number,
    nodes: Iterable<NodeDescription>,
    isOpen: boolean,
    timeout: number,
    read: ReadReply,
    askAgain: (node: string) => void,
  ): Promise<Findings> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(() => this.#expire(query, timeout), timeout);
      const query: Query = {
        read,
        replies: new Map(),
        failures: new Map(),
        descriptions: [],
        silent: [],
        refused: [],
        nodes: new Map(),
        done: new Set(),
        isOpen,
        askAgain,
        finish: () => {
          timer.cancel();
          this.#pending.delete(id);
          const { replies, failures, descriptions, silent, refused } = query;
          resolve({ replies, failures, descriptions, silent, refused });
        },
      };
      for (const node of nodes) add(query, node.id, node.name);
      this.#pending.set(id, query);
      finishIfDone(query);
    });
  }

  /** Takes the answer of a node. */
  answered(from: string, answer: QueryAnswer): void {
    const query = this.#pending.get(answer.id);
    if (query === undefined) return;
    // A node that has come since is not known by name, but may have an answer.
    const node = query.nodes.get(from) ?? (query.isOpen && !query.done.has(from) ? add(query, from, from) : undefined);
    if (node === undefined) return;
    for (const socket of answer.asked ?? []) node.sockets.add(socket);
    for (const reply of answer.replies ?? []) {
      const [socket] = reply;
      if (!node.sockets.delete(socket)) continue;
      const outcome = query.read(reply);
      if (outcome instanceof HubError) query.failures.set(socket, outcome);
      else query.replies.set(socket, outcome.reply);
    }
    for (const [socket, { code, message }] of answer.failures ?? []) {
      if (node.sockets.delete(socket)) query.failures.set(socket, new HubError(code as HubErrorCode, message));
    }
    for (const description of answer.descriptions ?? []) query.descriptions.push(description);
    for (const room of answer.refused ?? []) query.refused.push(room);
    if (answer.complete === true) node.isComplete = true;
    if (answer.failed === true) {
      query.silent.push(node.name);
      done(query, from);
    } else if (node.isComplete && node.sockets.size === 0) {
      done(query, from);
    }
    finishIfDone(query);
  }

  /** Adds a node that has arrived to the open questions, which wait for unknown nodes, too. */
  came({ id, name }: NodeDescription): void {
    for (const query of this.#pending.values()) {
      if (!query.isOpen || query.nodes.has(id) || query.done.has(id)) continue;
      add(query, id, name);
      query.askAgain(id);
    }
  }

  /**
   * Ends the wait for a node that has gone.
   *
   * @param hasClosed - whether it has said so: then nothing was left on it that could have answered.
   */
  went({ id }: NodeDescription, hasClosed: boolean): void {
    for (const query of this.#pending.values()) {
      const node = query.nodes.get(id);
      if (hasClosed) query.done.add(id);
      if (node !== undefined && hasClosed) node.isComplete = true;
      giveUp(query, id, (socket, name) => {
        return new HubError("ERR_HUB_DISCONNECTED", `The node ${name} of the socket ${socket} is gone.`);
      });
      finishIfDone(query);
    }
  }

  /** Waits for known nodes only, because all nodes that are there are known now. */
  acquainted(): void {
    for (const query of this.#pending.values()) {
      query.isOpen = false;
      finishIfDone(query);
    }
  }

  /**
   * Ends a question that the engine did not take.
   *
   * @param node - the one that was asked, if it was asked alone: then only the wait for this one ends.
   */
  lost(id: number, node?: string): void {
    const query = this.#pending.get(id);
    if (query === undefined) return;
    if (node === undefined) {
      end(query, notTaken);
    } else {
      giveUp(query, node, notTaken);
      finishIfDone(query);
    }
  }

  /** Ends all questions, because no more answers will come. */
  giveUp(reason: Reason): void {
    for (const query of this.#pending.values()) end(query, reason);
  }

  #expire(query: Query, timeout: number): void {
    end(query, (socket) => new HubError("ERR_HUB_TIMEOUT", `The socket ${socket} did not reply within ${timeout} ms.`));
  }
}

function add(query: Query, id: string, name: string): Questioned {
  const node = { name, sockets: new Set<string>(), isComplete: false };
  query.nodes.set(id, node);
  return node;
}

function done(query: Query, node: string): void {
  query.nodes.delete(node);
  query.done.add(node);
}

function end(query: Query, reason: Reason): void {
  for (const id of query.nodes.keys()) giveUp(query, id, reason);
  query.isOpen = false;
  finishIfDone(query);
}

function giveUp(query: Query, id: string, reason: Reason): void {
  const node = query.nodes.get(id);
  if (node === undefined) return;
  query.nodes.delete(id);
  for (const socket of node.sockets) query.failures.set(socket, reason(socket, node.name));
  if (!node.isComplete) query.silent.push(node.name);
}

function notTaken(socket: string): HubError {
  return new HubError("ERR_HUB_BACKPLANE", `A request to the socket ${socket} was lost: the engine did not take it.`);
}

function finishIfDone({ nodes, isOpen, finish }: Query): void {
  if (nodes.size === 0 && !isOpen) finish();
}

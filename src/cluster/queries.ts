import type { Clock } from "../time/clock.ts";
import { HubError, type HubErrorCode } from "../errors.ts";
import type { RequestOutcome } from "../members/requests.ts";
import type { QueryAnswer, RawReply } from "./envelope.ts";
import type { NodeDescription, NodesReport } from "./nodes.ts";

/** The answers of the other nodes to a question. */
export interface Findings {
  /** Replies by id, of the socket or of the node that was asked itself. */
  readonly replies: ReadonlyMap<string, unknown>;
  /** Failures by id, of the socket or of the node that was asked itself. */
  readonly failures: ReadonlyMap<string, HubError>;
  readonly descriptions: readonly unknown[];
  /** The names of the nodes that did not answer. */
  readonly silent: readonly string[];
  /** The rooms that some of the nodes do not hear, although they have sockets in them. */
  readonly refused: readonly string[];
  /** The reason why the question ended before all other nodes were known, if no failure of a known one has it. */
  readonly unfinished: HubError | undefined;
}

/** Reads a reply. Never throws. */
export type ReadReply = (reply: RawReply) => RequestOutcome;

/**
 * Creates the failure of who was asked and does not answer any more.
 *
 * @param who - the socket, as "socket …", or the node, as "node …".
 * @param node - the name of the node.
 */
type Reason = (who: string, node: string) => HubError;

/** A question to other nodes. */
export interface Inquiry {
  readonly id: number;
  /** The known nodes that are asked. */
  readonly nodes: Iterable<NodeDescription>;
  /** Whether nodes that are not known yet are asked as well: then `acquainted` says when all are known. */
  readonly isOpen: boolean;
  /** Whether the nodes themselves have to reply, and not sockets that they name. */
  readonly isOfNodes?: boolean;
  /** The time that all answers may take, in milliseconds. */
  readonly timeout: number;
  readonly read: ReadReply;
  /** Whether the hub itself waits for the answers, and not the application. */
  readonly isInternal?: boolean;
  /** The id of a node that is asked although it is not known; it is not there if it still is not when all are known. */
  readonly presumed?: string | undefined;
  /** Asks one node that has come while the question was open. */
  readonly askAgain?: (node: string) => void;
}

/** A node whose answer is not complete. */
interface Questioned {
  readonly name: string;
  /** The sockets that were asked and have not replied, or the node itself. */
  readonly sockets: Set<string>;
  isComplete: boolean;
  /** Whether it has named the sockets that were asked, which are none on some nodes. */
  isReached: boolean;
  /** Whether it is not known that the node is there. */
  readonly isPresumed: boolean;
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
  /** The names of those of them that have named no sockets. */
  readonly unreached: string[];
  /** Whether a copy of the request was lost. */
  isPartial: boolean;
  isOpen: boolean;
  readonly isOfNodes: boolean;
  readonly isInternal: boolean;
  unfinished: HubError | undefined;
  readonly askAgain: ((node: string) => void) | undefined;
  readonly finish: () => void;
}

/**
 * The questions that this node has asked the others. Each question ends: with the last answer, when the last node has
 * gone, or when its time is over.
 */
export class Queries implements Omit<NodesReport, "differs"> {
  readonly #clock: Clock;
  readonly #pending = new Map<number, Query>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Waits for the answers to a question. Never rejects. */
  track(inquiry: Inquiry): Promise<Findings> {
    const { id, nodes, isOpen, isOfNodes = false, isInternal = false, timeout, read, askAgain, presumed } = inquiry;
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
        unreached: [],
        isPartial: false,
        isOpen,
        isOfNodes,
        isInternal,
        unfinished: undefined,
        askAgain,
        finish: () => {
          timer.cancel();
          this.#pending.delete(id);
          const { replies, failures, descriptions, silent, refused, unfinished } = query;
          resolve({ replies, failures, descriptions, silent, refused, unfinished });
        },
      };
      for (const node of nodes) add(query, node.id, node.name);
      if (presumed !== undefined) add(query, presumed, presumed, true);
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
    if (answer.asked !== undefined) node.isReached = true;
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
      node.isComplete = false;
      giveUp(query, from, (who) => new HubError("ERR_HUB_BACKPLANE", `The answer of the ${who} was lost.`));
      query.done.add(from);
    } else if (node.isComplete && node.sockets.size === 0) {
      if (!node.isReached) (query.isPartial ? query.silent : query.unreached).push(node.name);
      done(query, from);
    }
    finishIfDone(query);
  }

  /** Adds a node that has arrived to the questions that wait for unknown nodes, and notes that it is there. */
  came({ id, name }: NodeDescription): void {
    for (const query of this.#pending.values()) {
      const isNew = query.isOpen && !query.nodes.has(id) && !query.done.has(id);
      if (isNew || query.nodes.get(id)?.isPresumed === true) add(query, id, name);
      if (isNew) query.askAgain?.(id);
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
      giveUp(query, id, (who, name) => {
        const what = query.isOfNodes ? who : `node ${name} of the ${who}`;
        return new HubError("ERR_HUB_DISCONNECTED", `The ${what} is gone.`);
      });
      finishIfDone(query);
    }
  }

  /** Waits for known nodes only, because all nodes that are there are known now. */
  acquainted(): void {
    for (const query of this.#pending.values()) {
      query.isOpen = false;
      for (const [id, { isPresumed }] of query.nodes) {
        if (isPresumed) giveUp(query, id, (who) => new HubError("ERR_HUB_DISCONNECTED", `There is no ${who}.`));
      }
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
    const reason = query.isOfNodes ? notTaken : notAsked;
    if (node === undefined) {
      end(query, reason);
    } else {
      giveUp(query, node, reason);
      finishIfDone(query);
    }
  }

  /**
   * Takes note that the engine did not take a copy of a request, but may have taken others: the nodes that have sockets to
   * ask and do not name them have missed it.
   */
  missed(id: number): void {
    const query = this.#pending.get(id);
    if (query === undefined) return;
    query.isPartial = true;
    query.silent.push(...query.unreached.splice(0));
  }

  /** Ends all questions, because no more answers will come. */
  giveUp(reason: Reason): void {
    for (const query of this.#pending.values()) end(query, reason);
  }

  /** Ends the questions whose answers the application waits for. */
  settle(reason: Reason): void {
    for (const query of this.#pending.values()) if (!query.isInternal) end(query, reason);
  }

  #expire(query: Query, timeout: number): void {
    end(query, (who) => new HubError("ERR_HUB_TIMEOUT", `The ${who} did not reply within ${timeout} ms.`));
  }
}

/** The nodes that an open question is for besides the known ones, in an error. */
const UNKNOWN = "nodes that this one does not know yet";

function add(query: Query, id: string, name: string, isPresumed = false): Questioned {
  const node = { name, sockets: new Set(query.isOfNodes ? [id] : []), isComplete: false, isReached: false, isPresumed };
  query.nodes.set(id, node);
  return node;
}

function done(query: Query, node: string): void {
  query.nodes.delete(node);
  query.done.add(node);
}

function end(query: Query, reason: Reason): void {
  // Where a known node is awaited, its failure has the reason.
  if (query.isOpen && query.nodes.size === 0) query.unfinished = reason(UNKNOWN, UNKNOWN);
  for (const id of query.nodes.keys()) giveUp(query, id, reason);
  query.isOpen = false;
  finishIfDone(query);
}

function giveUp(query: Query, id: string, reason: Reason): void {
  const node = query.nodes.get(id);
  if (node === undefined) return;
  query.nodes.delete(id);
  for (const socket of node.sockets) {
    query.failures.set(socket, reason(query.isOfNodes ? `node ${node.name}` : `socket ${socket}`, node.name));
  }
  if (!node.isComplete) query.silent.push(node.name);
}

function notTaken(who: string): HubError {
  return new HubError("ERR_HUB_BACKPLANE", `The request to the ${who} was lost: the engine did not take it.`);
}

/** Creates the failure of a socket that has got a request, and whose node was to be asked whether it is the last one. */
function notAsked(who: string): HubError {
  const message = `The reply of the ${who} is not awaited: the engine did not take the question about its node.`;
  return new HubError("ERR_HUB_BACKPLANE", message);
}

function finishIfDone({ nodes, isOpen, finish }: Query): void {
  if (nodes.size === 0 && !isOpen) finish();
}

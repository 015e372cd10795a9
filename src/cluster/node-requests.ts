import { HubError, isInstance, messageOf, RemoteError, ReplyError } from "../errors.ts";
import { watch } from "../guard.ts";
import type { RequestOutcome } from "../members/requests.ts";
import { WireErrorCode, type WireError } from "../protocol/packet.ts";
import type { ErrorReport } from "../report.ts";
import type { Clock } from "../time/clock.ts";
import { ALL_NODES, nodeChannel } from "./channels.ts";
import { decodeValue, encodeValue, type NodeRequest, type QueryAnswer, type RawReply } from "./envelope.ts";
import type { NodeMessageHandler, NodeMessages } from "./node-messages.ts";
import { NodeWork, type NodeTask } from "./node-work.ts";
import type { NodeDescription, Nodes } from "./nodes.ts";
import type { Findings, Inquiry } from "./queries.ts";

export interface NodeRequestsParts {
  /** The id of this node. */
  readonly self: string;
  readonly clock: Clock;
  readonly messages: NodeMessages;
  readonly nodes: Pick<Nodes, "isAcquainted" | "others">;
  /** The most that requests of other nodes take whose handlers are at work on them, in bytes. */
  readonly maxPendingBytes: number;
  /** Returns whether the engine is away, so that this node hears nothing of the others. */
  readonly isCut: () => boolean;
  /** @throws {HubError} `ERR_HUB_CLOSED` when this node closes. */
  readonly checkOpen: () => void;
  /** Returns an id that no other question of any node has. */
  readonly nextId: () => number;
  /** Waits for the answers to a question. */
  readonly track: (inquiry: Inquiry) => Promise<Findings>;
  /** Sends a request to nodes. */
  readonly ask: (request: NodeRequest, channel: string) => void;
  /** Sends an answer to another node. */
  readonly tell: (channel: string, answer: QueryAnswer) => void;
  readonly report: ErrorReport;
}

/** A reply, whose bytes travel: what a handler has returned, or the error with which the node answers. */
interface NodeReply {
  readonly data?: unknown;
  readonly error?: WireError;
}

/** The requests between the application's own programs on the nodes: those of this node, and those that it answers. */
export class NodeRequests {
  readonly #parts: NodeRequestsParts;
  readonly #work: NodeWork;
  #isStopped = false;

  constructor(parts: NodeRequestsParts) {
    this.#parts = parts;
    this.#work = new NodeWork(parts.maxPendingBytes, parts.clock);
  }

  /**
   * Asks the programs on all other nodes that are known, and those that this node gets to know first.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`, `ERR_HUB_UNSERIALISABLE`; as a rejection: why it ended before the other nodes were
   *   known.
   */
  askAll(event: string, data: unknown, timeout: number): Promise<Findings> {
    const { ask, isCut, nodes } = this.#parts;
    const { isAcquainted, others } = nodes;
    const request = this.#request(event, data, timeout);
    // A request is handled by the nodes that it names, so that each is asked once, and each that handles it is awaited.
    const askAgain = (node: string): void => ask({ ...request, nodes: [node] }, nodeChannel(node));
    // After a long outage no node is known, which does not mean that there is none.
    const isOpen = !isAcquainted || (isCut() && others.size === 0);
    const findings = this.#track(request, { nodes: others.values(), isOpen, askAgain });
    if (others.size > 0) ask({ ...request, nodes: [...others.keys()] }, ALL_NODES);
    return ofKnownNodes(findings);
  }

  /**
   * Asks the program on one other node.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`, `ERR_HUB_UNSERIALISABLE`; as a rejection: with what the node answered, or why it
   *   did not.
   */
  ask(node: string, event: string, data: unknown, timeout: number): Promise<unknown> {
    const { ask, isCut, nodes } = this.#parts;
    const request = { ...this.#request(event, data, timeout), nodes: [node] };
    const known = nodes.others.get(node);
    if (known === undefined && nodes.isAcquainted && !isCut()) return Promise.reject(unknownNode(node));
    const asked = known === undefined ? { nodes: [], presumed: node } : { nodes: [known] };
    const findings = this.#track(request, { ...asked, isOpen: false });
    // Also a node that is not known yet, so that what is sent to it arrives in the order of the calls.
    ask(request, nodeChannel(node));
    return replyOf(node, findings);
  }

  /** Takes the request of another node, and answers it. */
  take(from: NodeDescription, request: NodeRequest): void {
    const { messages, report, self } = this.#parts;
    const { id, event, data, nodes, timeout } = request;
    if (this.#isStopped || !nodes.includes(self)) return;
    const handler = messages.answering(event);
    const refuse = (error: WireError): void => this.#answer(from.id, id, encodeValue({ error }));
    if (handler === undefined) {
      refuse(unknownEvent(event));
      return;
    }
    const task = this.#work.begin(from.id, data.byteLength, timeout);
    if (task === undefined) refuse(TOO_MANY_REQUESTS);
    else
      watch(
        report,
        this.#handle(handler, from, request, task).finally(() => this.#work.end(task)),
      );
  }

  /** Lets the handlers know that a node is gone which waited for them. */
  went(node: string): void {
    this.#work.went(node);
  }

  /** Resolves when no handler is at work on a request that another node waits for. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  /** Handles nothing any more, and lets the handlers know that their replies do not leave this node. */
  stop(): void {
    this.#isStopped = true;
    this.#work.stop();
  }

  #request(event: string, data: unknown, timeout: number): Omit<NodeRequest, "nodes"> {
    const { checkOpen, nextId } = this.#parts;
    checkOpen();
    return { type: "request", id: nextId(), event, data: encoded(`The data of "${event}"`, data), timeout };
  }

  #track(
    { id, event, timeout }: Omit<NodeRequest, "nodes">,
    whom: Pick<Inquiry, "nodes" | "presumed" | "isOpen" | "askAgain">,
  ): Promise<Findings> {
    return this.#parts.track({ id, timeout, isOfNodes: true, read: (reply) => read(event, reply), ...whom });
  }

  async #handle(
    handler: NodeMessageHandler,
    from: NodeDescription,
    { id, event, data }: NodeRequest,
    task: NodeTask,
  ): Promise<void> {
    let reply: Uint8Array;
    try {
      const value = await handler(decodeValue(data), from, task.context);
      reply = encoded(`The reply to "${event}"`, { data: value });
    } catch (error) {
      reply = this.#refusal(event, error);
    }
    if (task.isAwaited) this.#answer(from.id, id, reply);
  }

  /**
   * Encodes what the other node is told about an error. What the application did not mean to tell stays here. Without
   * the data that it has added, if that cannot be encoded: a refusal stays one.
   */
  #refusal(event: string, error: unknown): Uint8Array {
    const { report } = this.#parts;
    if (!isInstance(error, ReplyError)) {
      report.failed(error, "node", { event });
      return encodeValue({ error: HANDLER_FAILED });
    }
    const refusal: WireError = { code: error.reason, message: messageOf(error) };
    try {
      return encoded(`The data of the refusal of "${event}"`, { error: { ...refusal, data: error.data } });
    } catch (failure) {
      report.failed(failure, "node", { event });
      return encodeValue({ error: refusal });
    }
  }

  #answer(to: string, id: number, reply: Uint8Array): void {
    const { self, tell } = this.#parts;
    tell(nodeChannel(to), { type: "answer", id, replies: [[self, "", reply]], complete: true });
  }
}

/**
 * Encodes a value of the application.
 *
 * @param what - the beginning of the sentence "… cannot be sent".
 */
function encoded(what: string, value: unknown): Uint8Array {
  try {
    return encodeValue(value);
  } catch (error) {
    throw new HubError("ERR_HUB_UNSERIALISABLE", `${what} cannot be sent to other nodes.`, { cause: error });
  }
}

function read(event: string, [node, , bytes]: RawReply): RequestOutcome {
  try {
    const { data, error } = decodeValue(bytes as Uint8Array) as NodeReply;
    return error === undefined ? { reply: data } : new RemoteError(error.code, error.message, { data: error.data });
  } catch (error) {
    const text = `The reply of the node ${node} to "${event}" cannot be read on the node that asked.`;
    return new HubError("ERR_HUB_UNSERIALISABLE", text, { cause: error });
  }
}

/** Rejects where a request ended before all other nodes were known, and its result would look as if they were. */
async function ofKnownNodes(findings: Promise<Findings>): Promise<Findings> {
  const found = await findings;
  if (found.unfinished !== undefined) throw found.unfinished;
  return found;
}

async function replyOf(node: string, findings: Promise<Findings>): Promise<unknown> {
  const { failures, replies } = await findings;
  const failure = failures.get(node);
  if (failure !== undefined) throw failure;
  return replies.get(node);
}

/** Creates the error of a request to a node that is not there. */
export function unknownNode(node: string): HubError {
  return new HubError("ERR_HUB_DISCONNECTED", `There is no node ${node}. It may be gone: see hub.nodes.`);
}

function unknownEvent(event: string): WireError {
  return { code: WireErrorCode.unknownEvent, message: `The node has no handler of handleNode for "${event}".` };
}

const TOO_MANY_REQUESTS: WireError = {
  code: WireErrorCode.tooManyRequests,
  message:
    "The node has no room for this beside what it is handling. Ask again later, or raise its cluster.maxPendingBytes.",
};

const HANDLER_FAILED: WireError = { code: WireErrorCode.handlerFailed, message: "The node failed to handle this." };

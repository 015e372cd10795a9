import nodeCluster, { type Worker } from "node:cluster";
import type { LogRecord } from "../backplane.ts";
import { MemoryLog } from "../shared/memory-log.ts";
import {
  isOurs,
  readInPrimary,
  unwrap,
  wrap,
  type Answer,
  type MessageToPrimary,
  type MessageToSession,
} from "./messages.ts";
import { Router, type Peer } from "./router.ts";

/**
 * The number of bytes that may wait for one worker: a worker that hangs must not fill the memory of the primary
 * process.
 */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

/** The most bytes of all logs, unless the application says otherwise. */
const MAX_LOG_BYTES = 64 * 1024 * 1024;

const UNREADABLE =
  "The primary process cannot read a message of a worker. Give all processes the same version of roomcast.";

const WARNING = { type: "HubWarning", code: "HUB_UNREADABLE_MESSAGE" };

/** A session of a worker, as the primary process sees it. */
class WorkerPeer implements Peer {
  readonly #worker: Worker;
  readonly #session: number;
  readonly #overflow: (peer: WorkerPeer) => void;
  /** Whether the session hears logs. One of an earlier release cannot read them. */
  hearsLogs = false;
  #pendingBytes = 0;

  constructor(worker: Worker, session: number, overflow: (peer: WorkerPeer) => void) {
    this.#worker = worker;
    this.#session = session;
    this.#overflow = overflow;
  }

  /** Sends a message to the session; `sent` is called when it has left this process. */
  tell(message: MessageToSession, sent: () => void = () => {}): void {
    // A worker that is about to exit is not told; its `exit` event removes it.
    if (this.#worker.isConnected()) this.#worker.send(wrap(this.#session, message), sent);
  }

  deliver(channel: string, envelope: Uint8Array): void {
    this.#hand({ type: "message", channel, envelope }, envelope.byteLength);
  }

  record(channel: string, record: LogRecord): void {
    if (this.hearsLogs) this.#hand({ type: "recorded", channel, record }, record.envelope.byteLength);
  }

  /** Answers a request. */
  answer(number: number, answer: Answer): void {
    this.#hand({ type: "answer", number, answer }, byteLengthOf(answer));
  }

  /** Sends a message of so many bytes, unless too many wait. */
  #hand(message: MessageToSession, byteLength: number): void {
    if (this.#pendingBytes + byteLength > MAX_PENDING_BYTES) {
      this.#overflow(this);
      return;
    }
    this.#pendingBytes += byteLength;
    this.tell(message, () => {
      this.#pendingBytes -= byteLength;
    });
  }
}

/** Number of bytes of what was read of a log. Other answers are small. */
function byteLengthOf(answer: Answer): number {
  if (answer === undefined || !("records" in answer)) return 0;
  return answer.records.reduce((sum, { envelope }) => sum + envelope.byteLength, 0);
}

let router: Router | undefined;

/** Returns the router of this process, the primary. From the first call on it serves the workers. */
export function routePrimary(): Router {
  if (router !== undefined) return router;
  const log = new MemoryLog(() => performance.now());
  log.maxBytes = MAX_LOG_BYTES;
  const created = new Router(log);
  const peers = new Map<Worker, Map<number, WorkerPeer>>();
  const overflow = (peer: WorkerPeer): void => {
    created.remove(peer);
    peer.tell({ type: "fault", reason: "The worker reads the messages of the other processes too slowly." });
  };
  let isWarned = false;
  const unreadable = (worker: Worker, session: number | undefined): void => {
    if (!isWarned) process.emitWarning(`${UNREADABLE} Others like this are not shown.`, WARNING);
    isWarned = true;
    if (session === undefined) return;
    const peer = peers.get(worker)?.get(session) ?? new WorkerPeer(worker, session, overflow);
    peer.tell({ type: "fault", reason: UNREADABLE });
  };
  nodeCluster.on("message", (worker, value: unknown) => {
    if (!isOurs(value)) return;
    const wrapped = unwrap(value, readInPrimary);
    if (wrapped?.message === undefined) {
      unreadable(worker, wrapped?.session);
      return;
    }
    const { session, message } = wrapped;
    let sessions = peers.get(worker);
    if (sessions === undefined) peers.set(worker, (sessions = new Map<number, WorkerPeer>()));
    let peer = sessions.get(session);
    if (peer === undefined) sessions.set(session, (peer = new WorkerPeer(worker, session, overflow)));
    if (message.type === "bye") {
      sessions.delete(session);
      created.remove(peer);
    } else {
      serve(created, peer, message);
    }
  });
  const forget = (worker: Worker): void => {
    for (const peer of peers.get(worker)?.values() ?? []) created.remove(peer);
    peers.delete(worker);
  };
  nodeCluster.on("disconnect", forget);
  nodeCluster.on("exit", forget);
  return (router = created);
}

function serve(routes: Router, peer: WorkerPeer, message: Exclude<MessageToPrimary, { readonly type: "bye" }>): void {
  switch (message.type) {
    case "hello":
      peer.hearsLogs = message.log === true;
      peer.tell(
        message.bytes instanceof Uint8Array
          ? { type: "welcome", log: true }
          : { type: "fault", reason: "Call setupPrimary() before cluster.fork(): bytes do not arrive as bytes." },
      );
      break;
    case "publish":
      routes.publish(peer, message.channel, message.envelope);
      break;
    case "subscribe":
      routes.subscribe(peer, message.channels);
      break;
    case "unsubscribe":
      routes.unsubscribe(peer, message.channels);
      break;
    case "ping":
      peer.tell({ type: "pong", number: message.number });
      break;
    case "append": {
      const { channel, entries, limits, retry } = message;
      peer.answer(message.number, routes.append(channel, entries, limits, retry));
      break;
    }
    case "read":
      peer.answer(message.number, routes.log.read(message.channel, message.after, message.most));
      break;
    case "heads":
      peer.answer(
        message.number,
        message.channels.map((channel) => routes.log.headOf(channel)),
      );
      break;
    case "forget":
      routes.log.forget(message.channel);
      peer.answer(message.number, undefined);
      break;
    case "interested":
      peer.answer(message.number, routes.areSubscribed(message.channels));
      break;
  }
}

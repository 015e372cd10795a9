import type { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import type { Socket as TcpSocket } from "node:net";
import type { Duplex } from "node:stream";
import { EarlyBytes } from "./early-bytes.ts";

/** A socket with the response that Node.js is sending on it. The responses to later requests wait behind it. */
type Answering = Duplex & { readonly _httpMessage?: EventEmitter | null };

/** Returns whether an earlier request of the same client is not answered yet. */
export function isAnswerDue(socket: Duplex): boolean {
  return responseOn(socket) !== undefined;
}

/**
 * Acts on an upgrade request once all earlier requests of its client are answered, because answers come in the order of
 * the requests (RFC 9112 section 9.3.2). Nearly all clients wait by themselves.
 *
 * Until then the connection is that of the earlier requests. If it ends meanwhile, nothing is done.
 *
 * @param act - gets the bytes that the client has sent behind the request.
 */
export function afterEarlierAnswers(socket: Duplex, head: Buffer, act: (head: Buffer) => void): void {
  if (!isAnswerDue(socket)) {
    act(head);
    return;
  }
  const early = new EarlyBytes(socket, head, () => {});
  // Node.js has taken its own listener off, and would never go on with an answer that the client reads slowly.
  const drained = (): void => void responseOn(socket)?.emit("drain");
  const answered = (): void => {
    // An answer may end the connection.
    if (!socket.writable) return;
    const due = responseOn(socket);
    if (due !== undefined) {
      due.once("close", answered);
      return;
    }
    socket.off("drain", drained);
    // Node.js limits how long a connection may be idle after an answer.
    (socket as TcpSocket).setTimeout(0);
    act(early.take());
  };
  socket.on("drain", drained);
  answered();
}

function responseOn(socket: Answering): EventEmitter | undefined {
  // oxlint-disable-next-line no-underscore-dangle -- Node.js has no other name for it
  return socket._httpMessage ?? undefined;
}

import { nanoid } from "nanoid";

/** Of the id of a node: enough that no two nodes ever have the same. */
export const NODE_ID_LENGTH = 10;

/** A socket's id behind its node's. */
const SOCKET_PART = 21;

const SOCKET_ID = new RegExp(`^[\\w-]{${NODE_ID_LENGTH + SOCKET_PART}}$`);

export function createNodeId(): string {
  return nanoid(NODE_ID_LENGTH);
}

/** The node that a socket's id begins with; `undefined` for what is no id of a cluster's. */
export function nodeOf(socket: string): string | undefined {
  return SOCKET_ID.test(socket) ? socket.slice(0, NODE_ID_LENGTH) : undefined;
}

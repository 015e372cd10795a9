import { nanoid } from "nanoid";

/** Length of the id of a node: enough that no two nodes ever have the same id. */
export const NODE_ID_LENGTH = 10;

/** Length of the part of a socket's id that follows the node's id. */
const SOCKET_PART = 21;

const SOCKET_ID = new RegExp(`^[\\w-]{${NODE_ID_LENGTH + SOCKET_PART}}$`);

export function createNodeId(): string {
  return nanoid(NODE_ID_LENGTH);
}

/** Returns the node whose id a socket's id begins with; `undefined` for a string that is no such id. */
export function nodeOf(socket: string): string | undefined {
  return SOCKET_ID.test(socket) ? socket.slice(0, NODE_ID_LENGTH) : undefined;
}

import { nanoid } from "nanoid";
import { HubError } from "../errors.ts";

/** Length of the id of a node: enough that no two nodes ever have the same id. */
export const NODE_ID_LENGTH = 10;

/** Length of the part of a socket's id that follows the node's id. */
const SOCKET_PART = 21;

const SOCKET_ID = new RegExp(`^[\\w-]{${NODE_ID_LENGTH + SOCKET_PART}}$`);

const NODE_ID = new RegExp(`^[\\w-]{${NODE_ID_LENGTH}}$`);

export function createNodeId(): string {
  return nanoid(NODE_ID_LENGTH);
}

/** Returns the node whose id a socket's id begins with; `undefined` for a string that is no such id. */
export function nodeOf(socket: string): string | undefined {
  return SOCKET_ID.test(socket) ? socket.slice(0, NODE_ID_LENGTH) : undefined;
}

/**
 * Checks the id of a node.
 *
 * @throws {HubError} `ERR_HUB_ARGUMENT`, as for the name of a node or the id of a socket.
 */
export function checkNodeId(id: unknown): string {
  if (typeof id === "string" && NODE_ID.test(id)) return id;
  throw new HubError("ERR_HUB_ARGUMENT", "The id of a node is one of those in hub.nodes, and not its name.");
}

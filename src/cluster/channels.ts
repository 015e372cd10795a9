import type { Audience } from "../members/audience.ts";
import type { Manner, Selection } from "./envelope.ts";
import { nodeOf } from "./node-id.ts";

/** The channel that every node with sockets listens to. */
export const ALL_SOCKETS = "all";

/** The channel that every node listens to. */
export const ALL_NODES = "nodes";

const ROOM = "room:";
const USER = "user:";
const NODE = "node:";

/** Returns the channel of a room. */
export function roomChannel(room: string): string {
  return ROOM + room;
}

/** Returns the room of a channel; `undefined` for another channel. */
export function roomOf(channel: string): string | undefined {
  return channel.startsWith(ROOM) ? channel.slice(ROOM.length) : undefined;
}

/** Returns the channel of a user. */
export function userChannel(user: string): string {
  return USER + user;
}

/** Returns the channel of a single node. */
export function nodeChannel(node: string): string {
  return NODE + node;
}

/** Returns the node of a channel; `undefined` for a channel of several nodes. */
export function nodeBehind(channel: string): string | undefined {
  return isNodeChannel(channel) ? channel.slice(NODE.length) : undefined;
}

/** Describes what travels on a channel, for an error. */
export function meaningOf(channel: string): string {
  if (channel === ALL_SOCKETS) return "messages to everybody";
  if (channel === ALL_NODES) return "what all nodes are told";
  if (channel.startsWith(ROOM)) return `messages to the room "${channel.slice(ROOM.length)}"`;
  if (channel.startsWith(USER)) return `messages to the user "${channel.slice(USER.length)}"`;
  return "messages to this node's sockets, and answers to its questions";
}

export function isNodeChannel(channel: string): boolean {
  return channel.startsWith(NODE);
}

/** Returns the channels that reach all sockets of the audience on nodes other than `self`. */
export function routesOf(audience: Audience, self: string): readonly string[] {
  if (audience.everybody) return [ALL_SOCKETS];
  const { rooms, users, sockets } = audience;
  if (users.length === 0 && sockets.length === 0 && rooms.length === 1) return [ROOM + rooms[0]];
  const nodes = sockets.map(nodeOf).filter((node) => node !== undefined && node !== self);
  return [...new Set([...rooms.map(roomChannel), ...users.map(userChannel), ...nodes.map((node) => NODE + node)])];
}

/** Returns the audience on this node that these channels reach. */
export function audienceOf(channels: readonly string[], selection: Selection, manner: Manner): Audience {
  const rooms: string[] = [];
  const users: string[] = [];
  let sockets: readonly string[] = [];
  for (const channel of channels) {
    if (channel.startsWith(ROOM)) rooms.push(channel.slice(ROOM.length));
    else if (channel.startsWith(USER)) users.push(channel.slice(USER.length));
    else if (channel.startsWith(NODE)) sockets = selection.sockets ?? [];
  }
  const { policy, key } = manner;
  return {
    everybody: channels.includes(ALL_SOCKETS),
    rooms,
    users,
    sockets,
    exceptRooms: selection.exceptRooms ?? [],
    exceptSockets: selection.exceptSockets ?? [],
    volatile: manner.volatile === true,
    uncompressed: manner.uncompressed === true,
    overload: policy === undefined ? undefined : { policy, key },
    local: true,
  };
}

/** What is sent to whom. */
export interface Case {
  readonly name: string;
  readonly rooms: number;
  /** How many nodes a room has members on, one after the other from its own number on. */
  readonly nodesOfRoom: number;
  /** Members of a room on each of these nodes. */
  readonly members: number;
  /** Whether a node also sends to the rooms that it has members in. */
  readonly isInside: boolean;
  /** Messages that a node sends in one turn of the event loop, to its rooms in turn. */
  readonly perTurn: number;
  /** Messages that each node sends for each second of the duration asked for. */
  readonly messages: number;
  /** Whether it is measured how long a message takes, at a rate that keeps nobody busy. */
  readonly timed: boolean;
}

export function casesFor(nodes: number): readonly Case[] {
  const all = { isInside: true, timed: false };
  const room = { ...all, rooms: 1, nodesOfRoom: nodes };
  const alone = { members: 1, perTurn: 1, messages: 4_000 };
  return [
    { ...room, name: "one room, 16 a turn", members: 100, perTurn: 16, messages: 4_000 },
    { ...room, name: "one room, 1 a turn", members: 100, perTurn: 1, messages: 1_000 },
    { ...all, name: "100 small rooms", rooms: 100, nodesOfRoom: 1, members: 5, perTurn: 16, messages: 16_000 },
    { ...room, ...alone, name: "one member a node", timed: true },
    // Where the publisher does not hear the room, Redis sends it no echo.
    { ...all, ...alone, name: "rooms elsewhere", rooms: nodes, nodesOfRoom: 1, isInside: false },
  ];
}

/** The nodes that have members in the room. */
export function nodesOf(each: Case, room: number, nodes: number): number[] {
  return Array.from({ length: each.nodesOfRoom }, (_, index) => (room + index) % nodes);
}

/** The rooms that a node sends to. */
export function roomsOf(each: Case, publisher: number, nodes: number): number[] {
  const rooms = Array.from({ length: each.rooms }, (_, room) => room);
  return each.isInside ? rooms : rooms.filter((room) => !nodesOf(each, room, nodes).includes(publisher));
}

export function roomName(room: number): string {
  return `r${room}`;
}

/** Bytes of a message. */
export const SIZE = 64;

/** Publisher, room, number and time in nanoseconds, filled up to the size. */
export function bodyOf(publisher: number, room: number, number: number): string {
  return `${publisher}:${room}:${number}:${process.hrtime.bigint()}:`.padEnd(SIZE, ".");
}

export interface Stamp {
  readonly publisher: number;
  readonly room: number;
  readonly number: number;
  readonly sent: bigint;
}

export function stampOf(body: string): Stamp {
  const [publisher = "", room = "", number = "", sent = ""] = body.split(":", 4);
  return { publisher: Number(publisher), room: Number(room), number: Number(number), sent: BigInt(sent) };
}

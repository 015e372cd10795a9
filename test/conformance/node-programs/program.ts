import * as fc from "fast-check";

/** Whom a call is for. Sockets are named by their index, modulo their number; nobody named is everybody. */
export interface Whom {
  readonly rooms: readonly string[];
  readonly sockets: readonly number[];
  readonly users: readonly string[];
  readonly exceptRooms: readonly string[];
  readonly exceptSockets: readonly number[];
}

export type Step =
  /** The program of the socket's own node changes the rooms of the socket. */
  | { readonly act: "join" | "leave"; readonly socket: number; readonly room: string }
  /** The program of any node changes the rooms of sockets of all nodes. */
  | { readonly act: "joinAll" | "leaveAll"; readonly node: number; readonly whom: Whom; readonly room: string }
  | { readonly act: "emit" | "request"; readonly node: number; readonly whom: Whom }
  /** When the socket hears the next message, the program of its node puts it into a room. */
  | { readonly act: "react"; readonly socket: number; readonly room: string }
  /** The program that has moved sockets last awaits `hub.synced(room)`. */
  | { readonly act: "sync" }
  /** Some of what is under way arrives. */
  | { readonly act: "pass"; readonly time: number }
  /** Everything under way arrives. */
  | { readonly act: "settle" };

/** One socket from the beginning to the end, so that the model need not know what an end loses. */
export interface Client {
  readonly node: number;
  readonly user: string;
  /** The rooms in which it is when the program begins. */
  readonly rooms: readonly string[];
}

export interface Program {
  readonly nodes: number;
  /** The number of nodes that call others, from the first on. */
  readonly callers: number;
  readonly isOrdered: boolean;
  /** The seed of the delays. */
  readonly delays: number;
  readonly clients: readonly Client[];
  readonly steps: readonly Step[];
}

const node = fc.nat(3);
const socket = fc.nat(4);
const room = fc.constantFrom("a", "b", "c");
const user = fc.constantFrom("ann", "bob");

/** @param weight - how often of ten times there are any. */
function often<V>(values: fc.Arbitrary<V[]>, weight: number): fc.Arbitrary<V[]> {
  return fc.oneof({ weight: 10 - weight, arbitrary: fc.constant<V[]>([]) }, { weight, arbitrary: values });
}

const whom: fc.Arbitrary<Whom> = fc.record({
  rooms: often(fc.uniqueArray(room, { minLength: 1, maxLength: 3 }), 9),
  sockets: often(fc.array(socket, { minLength: 1, maxLength: 2 }), 3),
  users: often(fc.array(user, { minLength: 1, maxLength: 1 }), 1),
  exceptRooms: often(fc.uniqueArray(room, { minLength: 1, maxLength: 2 }), 1),
  exceptSockets: often(fc.array(socket, { minLength: 1, maxLength: 1 }), 1),
});

const call: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constantFrom("joinAll", "joinAll", "leaveAll"), node, whom, room }) },
  { weight: 10, arbitrary: fc.record({ act: fc.constantFrom("emit", "emit", "emit", "request"), node, whom }) },
  { weight: 3, arbitrary: fc.constant({ act: "sync" }) },
  { weight: 6, arbitrary: fc.record({ act: fc.constant("pass"), time: fc.oneof(fc.nat(15), fc.nat(100)) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("settle") }) },
);

const own: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: call },
  { weight: 4, arbitrary: fc.record({ act: fc.constantFrom("join", "join", "leave"), socket, room }) },
  { weight: 4, arbitrary: fc.record({ act: fc.constant("react"), socket, room }) },
);

const client: fc.Arbitrary<Client> = fc.record({ node, user, rooms: fc.uniqueArray(room, { maxLength: 2 }) });

/** A node moves sockets, and sends to the room at once, after a while, or when it has awaited that. */
const move: fc.Arbitrary<readonly Step[]> = fc
  .record({
    node,
    whom,
    room,
    act: fc.constantFrom("joinAll", "joinAll", "leaveAll"),
    before: fc.constantFrom<readonly Step[]>([], [{ act: "settle" }]),
    between: fc.oneof(
      fc.constant<readonly Step[]>([]),
      fc.constant<readonly Step[]>([{ act: "sync" }]),
      fc.nat(100).map((time): readonly Step[] => [{ act: "pass", time }]),
    ),
  })
  .map(({ node: caller, whom: moved, room: into, act, before, between }) => {
    const moves: Step = { act, node: caller, whom: moved, room: into };
    return before.concat(moves, between, { act: "emit", node: caller, whom: only([into]) });
  });

/** A node sends to a union, and a socket joins another room of it when it hears it. */
const union: fc.Arbitrary<readonly Step[]> = fc
  .record({
    node,
    socket,
    act: fc.constantFrom("emit", "request"),
    names: fc.uniqueArray(room, { minLength: 2, maxLength: 3 }),
  })
  .map(({ node: caller, socket: joins, act, names }) => [
    { act: "leave", socket: joins, room: names.at(-1) as string },
    { act: "settle" },
    { act: "react", socket: joins, room: names.at(-1) as string },
    { act, node: caller, whom: only(names) },
  ]);

function only(rooms: readonly string[]): Whom {
  return { rooms, sockets: [], users: [], exceptRooms: [], exceptSockets: [] };
}

/** @param several - steps that belong together, which are rarer. */
function some(one: fc.Arbitrary<Step>, several: fc.Arbitrary<readonly Step[]>): fc.Arbitrary<Step[]> {
  const part = fc.oneof(
    { weight: 5, arbitrary: one.map((step): readonly Step[] => [step]) },
    { weight: 1, arbitrary: several },
  );
  return fc.array(part, { minLength: 1, maxLength: 20, size: "max" }).map((parts) => parts.flat());
}

/**
 * Random programs on two to four nodes. In some of them the sockets are moved only from outside, so that the promises
 * leave less open.
 */
export const program: fc.Arbitrary<Program> = fc.record({
  nodes: fc.integer({ min: 2, max: 4 }),
  callers: fc.integer({ min: 1, max: 4 }),
  isOrdered: fc.boolean(),
  delays: fc.nat(),
  clients: fc.array(client, { minLength: 1, maxLength: 5 }),
  steps: fc.oneof(some(call, move), some(own, fc.oneof(move, union))),
});

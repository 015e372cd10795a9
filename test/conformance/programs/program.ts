import * as fc from "fast-check";

/** Whom a broadcast is meant for. Sockets are named by the order in which they connected, modulo their number. */
export interface Whom {
  /** Taken from `socket.broadcast`: everybody but this one. */
  readonly sender?: number;
  /** Absent: everybody. */
  readonly rooms?: readonly string[];
  readonly sockets?: readonly number[];
  readonly exceptRooms?: readonly string[];
  readonly exceptSocket?: number;
}

export interface Message {
  readonly kind: "event" | "request" | "text" | "bytes";
  /** How many characters of padding, two bytes each. */
  readonly size: number;
}

/** What the server does, wherever it is told to. */
export type Act =
  | { readonly act: "join" | "leave"; readonly socket: number; readonly rooms: readonly string[] }
  | { readonly act: "send"; readonly socket: number; readonly message: Message }
  | { readonly act: "broadcast"; readonly whom: Whom; readonly message: Message }
  | { readonly act: "joinAll" | "leaveAll"; readonly whom: Whom; readonly room: string }
  | { readonly act: "close"; readonly socket: number; readonly code: number }
  | { readonly act: "closeAll"; readonly whom: Whom; readonly code: number }
  | { readonly act: "terminate"; readonly socket: number };

export type Step =
  | Act
  /** A client connects; the acts run in the `connection` listener. */
  | { readonly act: "connect"; readonly acts: readonly Act[] }
  /** A client sends something; the act runs where it arrives. */
  | { readonly act: "ask"; readonly socket: number; readonly as: "event" | "request" | "bytes"; readonly to: Act }
  | { readonly act: "clientClose"; readonly socket: number; readonly code: number }
  | { readonly act: "clientVanish"; readonly socket: number }
  /** One turn of the event loop: what waits is written. */
  | { readonly act: "turn" }
  /** Everything under way has arrived, on both sides. */
  | { readonly act: "settle" };

/** Codes that the server closes with and those that clients close with differ, so that both can be told apart. */
const serverCode = fc.constantFrom(1000, 4001, 4002);
const clientCode = fc.constantFrom(4501, 4502);

const socket = fc.nat(5);
const room = fc.constantFrom("a", "b", "c");
const rooms = fc.uniqueArray(room, { maxLength: 3 });

const message: fc.Arbitrary<Message> = fc.record({
  kind: fc.constantFrom("event", "event", "text", "bytes", "request"),
  // Both sides of the lengths at which a frame's header grows, and one that is written early.
  size: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0) },
    { weight: 4, arbitrary: fc.constantFrom(1, 45, 70, 300) },
    { weight: 1, arbitrary: fc.constant(40_000) },
  ),
});

const whom: fc.Arbitrary<Whom> = fc.record(
  {
    sender: socket,
    rooms,
    sockets: fc.array(socket, { maxLength: 2 }),
    exceptRooms: fc.uniqueArray(room, { maxLength: 2 }),
    exceptSocket: socket,
  },
  { requiredKeys: [] },
);

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constantFrom("join", "join", "leave"), socket, rooms }) },
  { weight: 8, arbitrary: fc.record({ act: fc.constant("send"), socket, message }) },
  { weight: 14, arbitrary: fc.record({ act: fc.constant("broadcast"), whom, message }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constantFrom("joinAll", "leaveAll"), whom, room }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("close"), socket, code: serverCode }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("terminate"), socket }) },
  {
    weight: 1,
    // Of everybody there would be nobody left to see what comes after.
    arbitrary: fc.record({ act: fc.constant("closeAll"), whom: fc.record({ rooms }), code: serverCode }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: act },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("connect"), acts: fc.array(act, { maxLength: 2 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant("ask"),
      socket,
      as: fc.constantFrom("event", "request", "bytes"),
      to: act,
    }),
  },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("clientClose"), socket, code: clientCode }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("clientVanish"), socket }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("turn") }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("settle") }) },
);

const CONNECT: Step = { act: "connect", acts: [] };

/** A few sockets, and then whatever may happen to them. */
export const program: fc.Arbitrary<readonly Step[]> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.array(step, { minLength: 1, maxLength: 40, size: "max" }))
  .map(([sockets, steps]) => Array.from({ length: sockets }, (): Step => CONNECT).concat(steps));

import { randomUUID } from "node:crypto";
import { Hub, ReplyError, type Handshake, type Socket, type Transport } from "roomcast";
import { atMostEvery } from "../at-most-every.ts";

/** Somebody in a room, as the others see them. */
interface Person {
  readonly id: string;
  readonly name: string;
}

/** What a client is told of the room that it is in now. */
interface Joined {
  readonly room: string;
  readonly you: Person;
}

interface RoomSummary {
  readonly name: string;
  readonly people: number;
}

/** What a client is supposed to send. It may send anything, so every field is unknown until it was checked. */
type Unchecked<T> = { readonly [K in keyof T]?: unknown } | null | undefined;

/** The events of the chat: a name maps to its data, or to a function from the data to the reply. */
export interface ChatTypes {
  client: {
    join: (request: Unchecked<{ room: string }>) => Joined;
    chat: (message: Unchecked<{ text: string; room: string }>) => { at: number };
    typing: unknown;
    ping: undefined;
  };
  server: {
    joined: Joined;
    chat: { from: Person; text: string; at: number };
    rooms: readonly RoomSummary[];
    pong: undefined;
  };
  data: { name: string; room: string };
  presence: { name: string; isTyping: boolean };
}

type ChatSocket = Socket<ChatTypes>;

const LOBBY = "lobby";

/**
 * Who is in a room of the chat is in the room of the hub with this prefix, by the server. The messages are in another one,
 * which a client joins by itself when it is ready to show them: these are recorded, and there it is told who is present.
 */
const PEOPLE = "people:";
const MESSAGES = "messages:";

/** A visitor gets so many of the last messages. */
const MESSAGES_KEPT = 100;
const KEPT_FOR = 24 * 3_600_000;

/** How long somebody stays in a room whose last tab has gone, so that nobody sees a reload, in milliseconds. */
const GRACE = 2_000;

const MAX_NAME = 32;
const MAX_USER = 64;
const MAX_TEXT = 2_000;

/** The busiest rooms are listed, so that nobody can make the list long by opening many. */
const MAX_ROOMS_LISTED = 50;

/** A close code of the range that tells a client not to reconnect with the same request. */
const BAD_REQUEST = 4000;

/**
 * A chat with rooms, on any transport. Everybody is in one room at a time, under a display name that need not be unique.
 *
 * A client may choose both, in the URL, `/socket?room=tea&name=Ann`, or, on the client library, in its `auth`; otherwise
 * it is a guest in the lobby. With the same `user` there, all tabs of a browser are one person.
 */
export function createChat(transport: Transport): Hub<ChatTypes> {
  const hub = new Hub<ChatTypes>({
    transport,
    path: "/socket",
    maxMessageBytes: 16 * 1024,
    // Far more than anybody types: who moves from room to room is announced to everybody there.
    limits: { messages: { perSecond: 10, burst: 100 } },
    authenticate(handshake) {
      const { user } = wishOf(handshake);
      return { id: typeof user === "string" && user !== "" ? user.slice(0, MAX_USER) : randomUUID() };
    },
    // All rooms are open to everybody in the chat.
    joinable: (room) => room.startsWith(MESSAGES),
    presence: { rooms: [`${MESSAGES}*`], grace: GRACE },
    history: { rooms: { [`${MESSAGES}*`]: { size: MESSAGES_KEPT, age: KEPT_FOR, replay: MESSAGES_KEPT } } },
  });

  /** Volatile: to somebody who reads slowly, only the latest list is worth anything. */
  const announceRooms = atMostEvery(100, () => {
    // The hub may be closed by now.
    if (hub.sockets.size === 0) return;
    const rooms = Array.from(hub.rooms, ([name, sockets]) => ({
      name,
      people: new Set(Array.from(sockets, userOf)).size,
    }))
      .filter(({ name }) => name.startsWith(PEOPLE))
      .map(({ name, people }) => ({ name: name.slice(PEOPLE.length), people }));
    rooms.sort((a, b) => b.people - a.people || a.name.localeCompare(b.name));
    hub.volatile.emit("rooms", rooms.slice(0, MAX_ROOMS_LISTED));
  });

  hub.on("connection", (socket) => {
    const wish = wishOf(socket.handshake);
    try {
      const name = line("name", wish.name ?? `Guest ${socket.id.slice(0, 4)}`);
      const room = line("room", wish.room ?? LOBBY);
      socket.data = { name, room };
    } catch (error) {
      socket.close(BAD_REQUEST, (error as Error).message);
      return;
    }
    socket.emit("joined", enter(socket));
    announceRooms();
  });

  hub.handle("join", (request, socket) => {
    const room = line("room", request?.room);
    if (room !== socket.data.room) {
      socket.leave(PEOPLE + socket.data.room);
      socket.data.room = room;
    }
    const joined = enter(socket);
    announceRooms();
    return joined;
  });

  // To everybody else in the room: the sender's page shows its own words itself, and the reply says that they went out.
  hub.handle("chat", (message, socket) => {
    const text = words("text", message?.text, MAX_TEXT);
    const { room } = socket.data;
    // What waited for a connection may come when its sender has moved on.
    if ((message?.room ?? room) !== room) throw new ReplyError("elsewhere", "You have left the room.");
    const at = Date.now();
    socket.to(MESSAGES + room).emit("chat", { from: person(socket), text, at });
    return { at };
  });

  hub.handle("typing", (isTyping, socket) => show(socket, isTyping === true));

  hub.handle("ping", (_, socket) => socket.emit("pong"));

  hub.on("disconnection", (socket) => {
    // Whoever was sent away at the door was never in a room.
    if (socket.rooms.size > 0) announceRooms();
  });

  return hub;
}

function wishOf({ auth, query }: Handshake): {
  readonly name?: unknown;
  readonly room?: unknown;
  readonly user?: unknown;
} {
  return auth ?? Object.fromEntries(query);
}

/** Entering the room one is in already changes nothing and tells nobody. */
function enter(socket: ChatSocket): Joined {
  const { room } = socket.data;
  if (!socket.rooms.has(PEOPLE + room)) show(socket, false);
  socket.join(PEOPLE + room);
  return { room, you: person(socket) };
}

/** Shows the others in the room who this is. */
function show(socket: ChatSocket, isTyping: boolean): void {
  socket.presence(MESSAGES + socket.data.room).set({ name: socket.data.name, isTyping });
}

function person(socket: ChatSocket): Person {
  return { id: userOf(socket), name: socket.data.name };
}

function userOf({ id, user }: ChatSocket): string {
  return user?.id ?? id;
}

/** The name of a person or a room: one line. */
function line(field: string, value: unknown): string {
  const text = words(field, value, MAX_NAME);
  if (/\p{Cc}/u.test(text)) throw new ReplyError(`bad-${field}`, `"${field}" must not hold control characters.`);
  return text;
}

function words(field: string, value: unknown, most: number): string {
  const text = typeof value === "string" ? value.trim() : "";
  if (text !== "" && text.length <= most) return text;
  throw new ReplyError(`bad-${field}`, `"${field}" must be text of 1 to ${most} characters.`);
}

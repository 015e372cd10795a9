import { randomUUID } from "node:crypto";
import { Hub, ReplyError, type Socket, type Transport } from "roomcast";
import type { ContractTypes } from "roomcast/contract";
import { atMostEvery } from "../at-most-every.ts";
import { contract, visitor, type Message, type Person, type Present } from "./contract.ts";

type RoomsTypes = ContractTypes<typeof contract> & { data: { name: string }; presence: Present };

/** The rooms there are, each with what was said last. */
const ROOMS = ["lobby", "tea", "music"];
const MAX_HISTORY = 50;

/** Three rooms that anybody may join, on any transport. */
export function createRooms(transport: Transport): Hub<RoomsTypes> {
  const histories = new Map<string, Message[]>(ROOMS.map((room) => [room, []]));
  const hub = new Hub<RoomsTypes>({
    transport,
    path: "/socket",
    contract,
    // Everybody is who they say: this is a demonstration.
    authenticate({ auth }) {
      const { data } = visitor.safeParse(auth);
      return data && { id: data.user };
    },
    joinable: (room) => histories.has(room),
    presence: { rooms: ROOMS, grace: 2_000 },
  });

  const announce = atMostEvery(100, () => {
    // The hub may be closed by now.
    if (hub.sockets.size === 0) return;
    const rooms = ROOMS.map((name) => ({ name, people: hub.presence(name).size }));
    hub.volatile.emit("rooms", rooms);
  });

  hub.on("connection", (socket) => {
    socket.data.name = visitor.parse(socket.handshake.auth).name;
    show(socket);
    announce();
  });
  for (const room of ROOMS) hub.presence(room).on("in", announce).on("out", announce);

  hub.handle("history", ({ room }) => historyOf(room));

  // To everybody else: the reply is for the sender.
  hub.handle("say", ({ room, text }, socket) => {
    if (!socket.rooms.has(room)) throw new ReplyError("not-in-room", `You are not in ${room}.`);
    const message = { id: randomUUID(), from: person(socket), text, at: Date.now() };
    const history = historyOf(room);
    history.push(message);
    if (history.length > MAX_HISTORY) history.shift();
    socket.to(room).emit("message", message);
    return message;
  });

  hub.handle("typing", ({ room, isTyping }, socket) => {
    if (socket.rooms.has(room)) socket.presence(room).set({ name: socket.data.name, isTyping });
  });

  hub.handle("rename", ({ name }, socket) => {
    for (const other of hub.sockets.values()) {
      if (other.user?.id !== socket.user?.id && other.data.name === name)
        throw new ReplyError("name-taken", `${name} is somebody else.`);
    }
    socket.data.name = name;
    show(socket);
    return person(socket);
  });

  function historyOf(room: string): Message[] {
    const history = histories.get(room);
    if (history === undefined) throw new ReplyError("no-such-room", `There is no room ${room}.`);
    return history;
  }

  return hub;
}

function person({ data, id, user }: Socket<RoomsTypes>): Person {
  return { id: user?.id ?? id, name: data.name };
}

/** Shows the name of a user in all rooms, those included that the socket joins later. */
function show(socket: Socket<RoomsTypes>): void {
  for (const room of ROOMS) socket.presence(room).set({ name: socket.data.name, isTyping: false });
}

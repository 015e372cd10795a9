import { randomUUID } from "node:crypto";
import { Hub, ReplyError, type Socket, type Transport } from "roomcast";
import type { ContractTypes } from "roomcast/contract";
import { atMostEvery } from "../at-most-every.ts";
import { contract, profile, type Message, type Person } from "./contract.ts";

type RoomsTypes = ContractTypes<typeof contract> & { data: { name: string } };

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
    joinable(room) {
      const known = histories.has(room);
      // Asked before it happens, told when it has.
      if (known) announce();
      return known;
    },
  });

  const announce = atMostEvery(100, () => {
    // The hub may be closed by now.
    if (hub.sockets.size === 0) return;
    const rooms = ROOMS.map((name) => ({ name, people: hub.rooms.get(name)?.size ?? 0 }));
    hub.volatile.emit("rooms", rooms);
  });

  hub.on("connection", (socket) => {
    socket.data.name = profile.safeParse(socket.handshake.auth).data?.name ?? "Guest";
    announce();
  });
  hub.on("disconnection", announce);

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

  // Volatile: whoever reads slowly need not learn that somebody was typing a while ago.
  hub.handle("typing", ({ room }, socket) => {
    if (socket.rooms.has(room)) socket.to(room).volatile.emit("typing", person(socket));
  });

  hub.handle("rename", ({ name }, socket) => {
    for (const other of hub.sockets.values()) {
      if (other !== socket && other.data.name === name) throw new ReplyError("name-taken", `${name} is somebody else.`);
    }
    socket.data.name = name;
    return person(socket);
  });

  function historyOf(room: string): Message[] {
    const history = histories.get(room);
    if (history === undefined) throw new ReplyError("no-such-room", `There is no room ${room}.`);
    return history;
  }

  return hub;
}

function person({ id, data }: Socket<RoomsTypes>): Person {
  return { id, name: data.name };
}

import type { Client } from "../receivers/messages.ts";
import type { Stream } from "../server/messages.ts";

/** Clients that hear the same streams and are in the same rooms. */
export function crowd(count: number, each: Omit<Client, "id">, firstId = 0): readonly Client[] {
  return Array.from({ length: count }, (_, index) => ({ id: firstId + index, ...each }));
}

/** What everybody in one room hears. */
export function streamTo(room: string, id: number, members: number): Stream {
  return { id, rooms: [room], except: [], members };
}

/** The same streams, by the clients who hear them: what `hears` says of a client and a stream is what must be. */
export function audienceOf(
  memberships: readonly (readonly string[])[],
  streams: readonly Omit<Stream, "members">[],
): { readonly clients: readonly Client[]; readonly streams: readonly Stream[] } {
  const clients = memberships.map((rooms, id) => ({
    id,
    rooms,
    streams: streams.filter((stream) => hears(rooms, stream)).map((stream) => stream.id),
  }));
  return {
    clients,
    streams: streams.map((stream) => ({
      ...stream,
      members: clients.filter((client) => client.streams.includes(stream.id)).length,
    })),
  };
}

function hears(rooms: readonly string[], stream: Omit<Stream, "members">): boolean {
  return rooms.some((room) => stream.rooms.includes(room)) && !rooms.some((room) => stream.except.includes(room));
}

import type { HubOptions } from "roomcast";
import type { Position, RecordNotice } from "../../../src/protocol/packet.ts";
import type { ClientFixture } from "../../../src/testing/suite/client-fixture.ts";

/** A packet as a test looks at it. */
export interface SeenPacket {
  readonly event?: string;
  readonly reply?: number;
  readonly at?: number;
  readonly room?: string;
  readonly data?: unknown;
  readonly error?: { readonly code: string };
}

/** What a client was sent when it joined: the position, what it had missed, and the answer. */
export interface Joined {
  readonly notice: RecordNotice;
  readonly missed: readonly SeenPacket[];
  readonly reply: SeenPacket;
}

/** Asks for a recorded room, and waits for the answer. */
export async function join(peer: ClientFixture, room: string, since?: unknown): Promise<Joined> {
  peer.say({ event: "hub:join", id: 1, data: { room, since } });
  return joined(peer);
}

/** Waits for the answer to a request for a recorded room. */
export async function joined(peer: ClientFixture): Promise<Joined> {
  const notice = (await peer.packet()) as SeenPacket;
  const missed: SeenPacket[] = [];
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    const packet = (await peer.packet()) as SeenPacket;
    if (packet.reply !== undefined) return { notice: notice.data as RecordNotice, missed, reply: packet };
    missed.push(packet);
  }
}

/** The position of a client that has got the events up to this one. */
export function positionAt({ notice }: Joined, at: number = notice.at): Position {
  return { stream: notice.stream, at };
}

/** The data of events, in their order. */
export const dataOf = (packets: readonly SeenPacket[]): readonly unknown[] => packets.map(({ data }) => data);

/** Options of a hub that lets its clients join, and records the rooms whose names begin so. */
export function recording(
  rule: Partial<NonNullable<HubOptions["history"]>["rooms"][string]> = {},
  options: HubOptions = {},
): HubOptions {
  const rooms = { "chat*": { size: 100, age: 60_000, ...rule } };
  return { joinable: () => true, ...options, history: { ...options.history, rooms } };
}

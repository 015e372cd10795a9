import type { Hub, Socket } from "roomcast";
import { inMemory } from "roomcast/testing";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import { openHubFixture } from "./hub-fixture.ts";

/** A hub in memory with one client, whose socket is in the room "lobby". */
export interface MemoryHub {
  readonly hub: Hub;
  readonly socket: Socket;
  readonly peer: ClientFixture;
}

/** Opens a hub until the test ends, and connects its client. */
export async function openMemoryHub(): Promise<MemoryHub> {
  const fixture = await openHubFixture(inMemory(), { maxBufferedBytes: 1024 });
  const peer = await fixture.connect();
  const { socket } = peer;
  socket.join("lobby");
  return { hub: fixture.hub, socket, peer };
}

import type { Hub, Socket } from "roomcast";
import { inMemory } from "roomcast/testing";
import type { ClientFixture } from "../../src/testing/suite/client-fixture.ts";
import { openStage } from "./stages.ts";

/** A hub in memory with one client, whose socket is in the room "lobby". */
export interface MemoryHub {
  readonly hub: Hub;
  readonly socket: Socket;
  readonly guest: ClientFixture;
}

/** Opens a hub until the test ends, and connects its client. */
export async function openMemoryHub(): Promise<MemoryHub> {
  const stage = await openStage(inMemory(), { maxBufferedBytes: 1024 });
  const guest = await stage.connect();
  const { socket } = guest;
  socket.join("lobby");
  return { hub: stage.hub, socket, guest };
}

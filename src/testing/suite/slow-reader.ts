import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ClientFixture } from "./client-fixture.ts";

/** That no compression makes much smaller. */
export const CHUNK: string = randomBytes(49_152).toString("base64");

/** Sends numbered messages, each when the one before has arrived at `reader`, until `done`. Returns how many. */
export async function exchange(
  reader: ClientFixture,
  send: (message: string) => void,
  done: () => boolean,
  sent = 0,
): Promise<number> {
  if (done()) return sent;
  send(`${sent}:${CHUNK}`);
  const message = await reader.client.next();
  assert.equal(Number.parseInt(message as string, 10), sent);
  return exchange(reader, send, done, sent + 1);
}

/** What a client has read leaves the server's buffer a little later. */
export async function caughtUp({ socket }: ClientFixture): Promise<void> {
  if (socket.bufferedAmount === 0) return;
  await nextTurn();
  await caughtUp({ socket } as ClientFixture);
}

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ClientFixture } from "./client-fixture.ts";

/** A text that compression hardly makes smaller. */
export const CHUNK: string = randomBytes(49_152).toString("base64");

/**
 * Sends numbered messages until `done`, each of them when the one before has arrived at `reader`.
 *
 * @returns the number of messages.
 */
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

/** Waits until the server's buffer is empty, which happens a little after the client has read. */
export async function caughtUp({ socket }: ClientFixture): Promise<void> {
  if (socket.bufferedAmount === 0) return;
  await nextTurn();
  await caughtUp({ socket } as ClientFixture);
}

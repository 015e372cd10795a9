import assert from "node:assert/strict";
import { once } from "node:events";
import type { UpgradeDecision, UpgradeInfo } from "../../transports/transport.ts";
import { Inbox } from "../inbox.ts";
import { ACCEPT, type TransportFixture } from "./transport-fixture.ts";

/** A handshake that waits for its decision. */
export interface PendingHandshake {
  readonly info: UpgradeInfo;
  readonly decide: (decision: UpgradeDecision) => void;
}

export const REFUSE: UpgradeDecision = { accept: false, status: 403, message: "No" };

/** Lets the test decide on every handshake from now on, whenever it wants. */
export function holdHandshakes(fixture: TransportFixture): Inbox<PendingHandshake> {
  const pending = new Inbox<PendingHandshake>();
  fixture.upgrade = (info) =>
    new Promise((resolve) => {
      pending.push({ info, decide: resolve });
    });
  return pending;
}

/** Waits for the next handshake to decide on. */
export async function nextHandshake(pending: Inbox<PendingHandshake>): Promise<PendingHandshake> {
  return (await pending.next()) as PendingHandshake;
}

/** Waits for a message, and ignores everything that happens before it. */
export async function waitForMessage(fixture: TransportFixture, message: string): Promise<void> {
  const event = await fixture.events.next();
  if (event?.type !== "message" || event.data !== message) await waitForMessage(fixture, message);
}

/** Waits until a signal is aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** Connects one more client, and checks that no other client was opened. */
export async function assertNothingElseHappened(
  fixture: TransportFixture,
  pending: Inbox<PendingHandshake>,
): Promise<void> {
  const client = fixture.dial({ url: "/fence" });
  const { info, decide } = await nextHandshake(pending);
  assert.equal(info.url, "/fence");
  decide(ACCEPT);
  await client.opened;
  assert.deepEqual(
    fixture.events.take().map(({ type }) => type),
    ["open"],
  );
}

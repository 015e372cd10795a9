import assert from "node:assert/strict";
import { once } from "node:events";
import type { UpgradeDecision, UpgradeInfo } from "../../transports/transport.ts";
import { Inbox } from "../inbox.ts";
import { ACCEPT, type TransportFixture } from "./transport-fixture.ts";

/** A handshake whose decision is being waited for. */
export interface Asked {
  readonly info: UpgradeInfo;
  readonly decide: (decision: UpgradeDecision) => void;
}

export const REFUSE: UpgradeDecision = { accept: false, status: 403, message: "No" };

/** From now on the test decides on every handshake, when it likes. */
export function collect(fixture: TransportFixture): Inbox<Asked> {
  const asked = new Inbox<Asked>();
  fixture.upgrade = (info) =>
    new Promise((resolve) => {
      asked.push({ info, decide: resolve });
    });
  return asked;
}

/** The next handshake to be decided on. */
export async function next(asked: Inbox<Asked>): Promise<Asked> {
  return (await asked.next()) as Asked;
}

/** Waits for a message; whatever else happens before it does not matter. */
export async function messageOf(fixture: TransportFixture, message: string): Promise<void> {
  const event = await fixture.events.next();
  if (event?.type !== "message" || event.data !== message) await messageOf(fixture, message);
}

export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** A client that comes later is served, and is the only one that was. */
export async function nothingElseHappened(fixture: TransportFixture, asked: Inbox<Asked>): Promise<void> {
  const client = fixture.dial({ url: "/fence" });
  const { info, decide } = await next(asked);
  assert.equal(info.url, "/fence");
  decide(ACCEPT);
  await client.opened;
  assert.deepEqual(
    fixture.events.take().map(({ type }) => type),
    ["open"],
  );
}

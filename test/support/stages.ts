import type { HubOptions } from "roomcast";
import { inMemory, overSockets, VirtualClock, type TransportSubject } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { onTestFinished } from "vitest";
import { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { TRANSPORTS } from "./transports.ts";

const ALL: readonly TransportSubject[] = [inMemory(), overSockets("ws", ws), overSockets("uws", uws)];

/** Everything that a hub can be on here. */
export const SUBJECTS: readonly TransportSubject[] = ALL.filter(
  ({ name }) => name !== "uws" || TRANSPORTS.includes("uws"),
);

/** A hub that listens until the test ends, and neither greets nor pings. */
export async function openStage(subject: TransportSubject, options: HubOptions = {}): Promise<HubFixture> {
  const stage = await HubFixture.open(subject, options);
  onTestFinished(() => stage.close());
  return stage;
}

/** The same in a time that stands still until the test moves it. */
export async function openStageInTime(
  subject: TransportSubject,
  options: HubOptions = {},
): Promise<{ readonly stage: HubFixture; readonly clock: VirtualClock }> {
  const clock = new VirtualClock();
  return { stage: await openStage(subject, { ...options, clock }), clock };
}

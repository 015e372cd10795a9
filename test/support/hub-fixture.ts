import type { HubOptions } from "roomcast";
import { inMemory, overSockets, VirtualClock, type TransportSubject } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { ws } from "roomcast/transports/ws";
import { onTestFinished } from "vitest";
import { HubFixture } from "../../src/testing/suite/hub-fixture.ts";
import { TRANSPORTS } from "./transports.ts";

const ALL: readonly TransportSubject[] = [inMemory(), overSockets("ws", ws), overSockets("uws", uws)];

/** The transports that can be tested here. */
export const SUBJECTS: readonly TransportSubject[] = ALL.filter(
  ({ name }) => name !== "uws" || TRANSPORTS.includes("uws"),
);

/** Opens a hub that listens until the test ends, and neither greets nor pings. */
export async function openHubFixture(subject: TransportSubject, options: HubOptions = {}): Promise<HubFixture> {
  const fixture = await HubFixture.open(subject, options);
  onTestFinished(() => fixture.close());
  return fixture;
}

/** Opens such a hub in a time that stands still until the test moves it. */
export async function openHubFixtureInTime(
  subject: TransportSubject,
  options: HubOptions = {},
): Promise<{ readonly fixture: HubFixture; readonly clock: VirtualClock }> {
  const clock = new VirtualClock();
  return { fixture: await openHubFixture(subject, { ...options, clock }), clock };
}

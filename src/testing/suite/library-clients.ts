import assert from "node:assert/strict";
import { jsonCodec } from "../../protocol/codec.ts";
import { ControlEvent, PROTOCOL_VERSION } from "../../protocol/packet.ts";
import type { SuiteClient } from "../suite-client.ts";
import type { HubFixture } from "./hub-fixture.ts";

/** Connects a client like one of the library, in JSON. It has not sent `hub:hello` yet. */
export async function connectWithoutHello(fixture: HubFixture): Promise<SuiteClient> {
  const client = fixture.dial({ protocols: [jsonCodec.protocol] });
  await client.opened;
  return client;
}

/** Connects a client like one of the library, in JSON, up to the `hub:welcome`. */
export async function connectLibraryClient(fixture: HubFixture): Promise<SuiteClient> {
  const client = await connectWithoutHello(fixture);
  sendEvent(client, ControlEvent.hello, { protocol: PROTOCOL_VERSION });
  assert.equal((await nextPacket(client))?.["event"], ControlEvent.welcome);
  return client;
}

/** Sends an event. */
export function sendEvent(client: SuiteClient, event: string, data?: unknown): void {
  client.send(JSON.stringify({ event, data }));
}

/** Waits for the next packet. The result is `undefined` once the connection has ended. */
export async function nextPacket(client: SuiteClient): Promise<Readonly<Record<string, unknown>> | undefined> {
  const message = await client.next();
  return message === undefined ? undefined : (JSON.parse(String(message)) as Readonly<Record<string, unknown>>);
}

/** Sends a request without a handler, and waits for the reply. Everything sent before has arrived by then. */
export async function ask(client: SuiteClient): Promise<void> {
  client.send(JSON.stringify({ event: "nobody handles this", id: 1 }));
  assert.equal((await nextPacket(client))?.["reply"], 1);
}

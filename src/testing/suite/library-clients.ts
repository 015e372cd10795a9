import assert from "node:assert/strict";
import { jsonCodec } from "../../protocol/codec.ts";
import { ControlEvent, PROTOCOL_VERSION } from "../../protocol/packet.ts";
import type { SuiteClient } from "../suite-client.ts";
import type { HubFixture } from "./hub-fixture.ts";

/** Connects as clients of the library do, in JSON, but does not say `hub:hello` yet. */
export async function approach(fixture: HubFixture): Promise<SuiteClient> {
  const client = fixture.dial({ protocols: [jsonCodec.protocol] });
  await client.opened;
  return client;
}

/** Connects as clients of the library do, in JSON, and is greeted. */
export async function enter(fixture: HubFixture): Promise<SuiteClient> {
  const client = await approach(fixture);
  tell(client, ControlEvent.hello, { protocol: PROTOCOL_VERSION });
  assert.equal((await told(client))?.["event"], ControlEvent.welcome);
  return client;
}

export function tell(client: SuiteClient, event: string, data?: unknown): void {
  client.send(JSON.stringify({ event, data }));
}

/** The next packet; `undefined` once the connection has ended. */
export async function told(client: SuiteClient): Promise<Readonly<Record<string, unknown>> | undefined> {
  const message = await client.next();
  return message === undefined ? undefined : (JSON.parse(String(message)) as Readonly<Record<string, unknown>>);
}

/** Sends a request that nobody handles, and waits for its reply: what was sent before has arrived by then. */
export async function ask(client: SuiteClient): Promise<void> {
  client.send(JSON.stringify({ event: "nobody handles this", id: 1 }));
  assert.equal((await told(client))?.["reply"], 1);
}

import { Hub } from "roomcast";
import { expect, onTestFinished, test } from "vitest";
import { dial, enter } from "../../support/library-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

/** Stands still as one long computation does. */
function compute(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test.each(TRANSPORTS)("a hello that arrived while the server stood still is in time, on %s", async (transport) => {
  const hub = new Hub({ transport, handshakeTimeout: 200, path: undefined });
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const client = await dial(port);
  client.send({ event: "hub:hello", data: { protocol: 1 } });
  compute(300);
  expect(await client.nextJson()).toMatchObject({ event: "hub:welcome" });
});

test.each(TRANSPORTS)("a reply that arrived while the server stood still is in time, on %s", async (transport) => {
  const hub = new Hub({ transport, path: undefined });
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const client = await enter(port);
  const [socket] = hub.sockets.values();
  const answer = socket?.request("ready?", undefined, { timeout: 200 });
  const { id } = (await client.nextJson()) as { readonly id: number };
  client.send({ reply: id, data: "yes" });
  compute(300);
  expect(await answer).toBe("yes");
});

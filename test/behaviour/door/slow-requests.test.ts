import { Hub, type ListenOptions } from "roomcast";
import { RawClient } from "roomcast/testing";
import { describe, it } from "vitest";
import { TRANSPORTS } from "../../support/transports.ts";
import { CERT_FILE, KEY_FILE } from "../../support/certificate.ts";

const TLS = { certFile: CERT_FILE, keyFile: KEY_FILE };

const BEGINNING = Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nX-Slow: ");

/** Sends so little at a time that the request never ends. */
function drip(client: RawClient): () => void {
  client.write(BEGINNING);
  const timer = setInterval(() => client.write(Buffer.from("x")), 20);
  return () => clearInterval(timer);
}

/** What the client sends, the options of the server, and a function that sends it and may return one that stops. */
const SLOW: readonly (readonly [string, ListenOptions, (client: RawClient) => (() => void) | void])[] = [
  ["nothing over TCP", {}, () => {}],
  ["nothing over TLS", { tls: TLS }, () => {}],
  ["half of a request", {}, (client) => client.write(BEGINNING)],
  ["one byte after the other", {}, drip],
];

/**
 * Nothing is asserted about how long it takes: that it comes to an end within the time of a test is the point. The
 * `ws` transport is told by `handshakeTimeout`; uWebSockets.js has 10 seconds of its own, which no option changes.
 */
describe.concurrent.each(TRANSPORTS)("a client that never ends its request, on %s", (transport) => {
  it.concurrent.for(SLOW)("is cut off when it sends %s", async ([, where, send], { expect, onTestFinished }) => {
    const hub = new Hub({ transport, handshakeTimeout: 200 });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1", ...where });
    const client = await RawClient.connect(port);
    onTestFinished(() => client.vanish());
    onTestFinished(send(client) ?? (() => {}));
    expect([undefined, 408]).toContain((await client.response())?.status);
    expect(await client.frame()).toBeUndefined();
  });
});

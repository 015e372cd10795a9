import { once } from "node:events";
import { connect } from "node:net";
import { Hub, type Disconnection } from "roomcast";
import { rawFrame, Opcode } from "../../src/testing/raw-frame.ts";
import { expect, test } from "vitest";
import { TRANSPORTS } from "../support/transports.ts";

const REQUEST =
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

const LIMIT = 256 * 1024;

/** Far more than the limit and all buffers of the network together. */
const MOST_PINGS = 1_000_000;

/** Pings are answered below the hub, which bounds what is held of that, and how many pings a client may send. */
test.each(TRANSPORTS)("a client that pings without reading the pongs is closed, on %s", async (transport) => {
  const hub = new Hub({ transport, maxBufferedBytes: LIMIT, heartbeat: false });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  const ended = new Promise<Disconnection>((resolve) => hub.on("disconnection", (_, how) => resolve(how)));

  const tcp = connect(port, "127.0.0.1");
  tcp.on("error", () => {});
  tcp.write(REQUEST);
  await once(tcp, "data");
  tcp.pause();
  const pings = Buffer.concat(Array.from({ length: 500 }, () => rawFrame(Opcode.ping, "x".repeat(125))));
  let most = 0;
  for (let sent = 0; hub.sockets.size > 0 && sent < MOST_PINGS; sent += 500) {
    if (!tcp.write(pings)) await Promise.race([once(tcp, "drain"), ended]);
    for (const socket of hub.sockets.values()) most = Math.max(most, socket.bufferedAmount);
  }
  expect([4005, 4101]).toContain((await ended).code);
  // One read of the server's may bring many pings before it is noticed.
  expect(most).toBeLessThan(LIMIT + 1024 * 1024);
  tcp.destroy();
  await hub.close();
});

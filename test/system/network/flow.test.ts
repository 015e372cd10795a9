import { setTimeout as delay } from "node:timers/promises";
import { Hub } from "roomcast";
import { connect, type ClientError } from "roomcast/client";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { TRANSPORTS } from "../../support/transports.ts";

const ROOMS = Array.from({ length: 10_000 }, (_, index) => `room ${index}`);

/** With the requests they make nearly the 1 MiB that the client's queue holds, and far more than the hub lets wait. */
const EVENTS = 9_000;
const PAYMENTS = 100;

/** Handlers that take so long keep the last messages waiting for more than ten seconds. */
const WORK = 3_500;

test.concurrent.each(TRANSPORTS)(
  "whatever has waited is handled once and in order, and nobody is closed, on %s",
  async (transport) => {
    const hub = new Hub({ transport, limits: { rooms: ROOMS.length }, joinable: async () => true });
    onTestFinished(() => hub.close());
    const endings: unknown[] = [];
    hub.on("disconnection", (_, close) => endings.push(close));
    const worked: unknown[] = [];
    const paid: unknown[] = [];
    hub.handle("work", async (data) => {
      worked.push(data);
      await delay(WORK);
    });
    hub.handle("pay", async (data) => {
      paid.push(data);
      await delay(WORK);
      return data;
    });
    const { port } = await hub.listen({ host: "127.0.0.1" });

    const client = connect(`ws://127.0.0.1:${port}`, { WebSocket, start: false });
    onTestFinished(() => client.close());
    const errors: ClientError[] = [];
    client.on("hub:error", (error) => errors.push(error));
    const states: string[] = [];
    client.on("hub:state", ({ state }) => states.push(state));
    client.open();
    // On a busy machine the answers may take longer than this promise waits for them. The client joins nevertheless.
    client.join(...ROOMS).catch(() => {});
    const numbers = Array.from({ length: EVENTS }, (_, n) => n);
    const payments = numbers.slice(0, PAYMENTS);
    for (const n of numbers) client.emit("work", n);
    const replies = payments.map((n) => client.request("pay", n, { idempotent: true, timeout: 100_000 }));

    expect(await Promise.all(replies)).toStrictEqual(payments);
    expect(worked).toStrictEqual(numbers);
    expect(paid).toStrictEqual(payments);
    expect([...hub.sockets.values()].map((socket) => socket.rooms.size)).toStrictEqual([ROOMS.length]);
    expect(errors).toStrictEqual([]);
    expect(states).toStrictEqual(["connecting", "open"]);
    expect(endings).toStrictEqual([]);
    expect(hub.stats()).toMatchObject({ violations: 0, waitingBytes: 0 });
  },
  120_000,
);

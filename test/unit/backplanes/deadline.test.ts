import { once } from "node:events";
import { createServer, connect, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { within } from "../../../src/backplanes/shared/deadline.ts";

test("an answer that arrived while the process stood still is in time", async () => {
  const server = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  onTestFinished(() => void client.destroy());
  const connected = within(5, "Connecting", once(client, "connect"));
  const end = performance.now() + 50;
  while (performance.now() < end);
  await expect(connected).resolves.toEqual([]);
});

test("no answer in time is an error", async () => {
  await expect(within(1, "Waiting", new Promise(() => {}))).rejects.toThrow("Waiting took longer than 1 ms.");
});

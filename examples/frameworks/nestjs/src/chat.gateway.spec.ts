import { afterEach, beforeEach, expect, test } from "@jest/globals";
import type { INestApplication } from "@nestjs/common";
import { Test } from "@nestjs/testing";
import { connect, type Client } from "roomcast/client";
import { WebSocket } from "ws";
import { AppModule } from "./app.module.js";
import { RoomcastAdapter } from "./roomcast.adapter.js";

let app: INestApplication;
let ann: Client;
let bob: Client;

beforeEach(async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = module.createNestApplication();
  app.useWebSocketAdapter(new RoomcastAdapter(app));
  await app.listen(0);
  const url = `${await app.getUrl()}/chat`;
  ann = connect(url, { WebSocket });
  bob = connect(url, { WebSocket });
});

afterEach(async () => {
  await Promise.all([ann.close(), bob.close()]);
  await app.close();
});

test("members hear what is said in the lobby", async () => {
  const heard = new Promise((resolve) => bob.on("message", resolve));
  await Promise.all([ann.join("lobby"), bob.join("lobby")]);
  ann.emit("message", "hello");
  expect(await heard).toBe("hello");
});

test("only members send", async () => {
  await expect(ann.request("message", "hello")).rejects.toMatchObject({ reason: "refused" });
});

import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Hub } from "roomcast";
import { afterAll, afterEach, expect, test } from "vitest";
import { blocksOf } from "../support/markdown.ts";
import { closeAll, removeSnippets, run } from "../support/snippets.ts";
import { upgradeStatus, WsClient } from "../support/ws-client.ts";

afterEach(closeAll);
afterAll(removeSnippets);

/** Runs the snippet of the document that has this line, and returns the address of its server. */
async function start(line: string): Promise<{ readonly host: string; readonly hub: Hub }> {
  const block = blocksOf("docs/MIGRATING.md").find(({ text }) => text.includes(line));
  if (block === undefined) throw new Error(`There is no snippet with ${line}`);
  const { hub, server } = (await run(block)) as { readonly hub: Hub; readonly server: Server };
  if (!server.listening) await once(server, "listening");
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, hub };
}

test("a session of express-session lets its user in, and nobody else", async () => {
  const { host, hub } = await start("express-session");
  const login = await fetch(`http://${host}/login/ann`, { method: "POST" });
  const [cookie = ""] = (login.headers.get("set-cookie") ?? "").split(";", 1);
  const client = await WsClient.connect(`ws://${host}`, { headers: { cookie } });
  expect(await client.nextJson()).toMatchObject({ event: "hub:welcome" });
  expect(await client.nextJson()).toEqual({ event: "hello", data: "ann" });
  expect(await upgradeStatus(`ws://${host}`)).toBe(401);
  expect(await upgradeStatus(`ws://${host}`, { headers: { cookie: cookie.replace(/.{4}$/, "AAAA") } })).toBe(401);
  hub.toUser("ann").close(4001);
  expect(await client.closed).toMatchObject({ code: 4001 });
});

test("a page gets the client from a server of the application's", async () => {
  const { host } = await start("roomcast/client/bundle");
  const page = await (await fetch(`http://${host}/`)).text();
  const [, path = ""] = /from "(.*)"/.exec(page) ?? [];
  const file = await fetch(`http://${host}${path}`);
  expect(file.headers.get("content-type")).toMatch(/javascript/);
  expect(await file.text()).toMatch(/export\{.* as connect\};?\s*$/);
});

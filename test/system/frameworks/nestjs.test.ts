import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { connect, type Client } from "roomcast/client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { blocksOf } from "../../support/markdown.ts";
import { launchBrowser } from "../browser/browser.ts";
import { Example, expectTwoPagesToChat, PATIENCE } from "./example.ts";

/** A gateway beside that of the page, on the same path. */
const MORE = `
import { UseFilters, UseGuards, type CanActivate, type ExecutionContext } from "@nestjs/common";
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import type { Hub } from "roomcast";
import { of, type Observable } from "rxjs";
import { ReplyErrorFilter } from "./reply-error.filter.js";

class EventGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToWs().getPattern() === context.switchToWs().getData();
  }
}

@WebSocketGateway({ path: "/stars" })
@UseFilters(ReplyErrorFilter)
export class MoreGateway {
  @WebSocketServer()
  private readonly hub: Hub;

  @SubscribeMessage("count")
  @UseGuards(EventGuard)
  count(): Observable<number> {
    return of(0, this.hub.sockets.size);
  }

  @SubscribeMessage("fail")
  fail(): void {
    throw new Error("There are no more stars.");
  }
}
`;

let example: Example;
let browser: Browser;

beforeAll(async () => {
  [example, browser] = await Promise.all([Example.install("nestjs"), launchBrowser()]);
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
});

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url } = await example.start();
  await expectTwoPagesToChat(browser, url);
});

test("the tests of the example pass in Jest", { timeout: PATIENCE }, async () => {
  await expect(example.npm("test")).resolves.toBeUndefined();
});

test("gateways have all that the page says", { timeout: PATIENCE }, async () => {
  writeFileSync(join(example.folder, "src/stars.gateway.ts"), snippet("stars"));
  writeFileSync(join(example.folder, "src/more.gateway.ts"), MORE);
  writeFileSync(
    join(example.folder, "src/users.ts"),
    `export class Users {
      find(token: string | null) {
        return token === "secret" ? { id: "ann" } : undefined;
      }
    }`,
  );
  example.edit("src/app.module.ts", (text) =>
    text
      .replace("[ChatGateway]", "[ChatGateway, StarsGateway, MoreGateway, Users]")
      .concat('import { MoreGateway } from "./more.gateway.js";\n')
      .concat('import { StarsGateway } from "./stars.gateway.js";\nimport { Users } from "./users.js";\n'),
  );
  example.edit("src/main.ts", (text) =>
    text
      .replace("app.useWebSocketAdapter(new RoomcastAdapter(app));\n", () => snippet("authenticate"))
      .concat('import { Users } from "./users.js";\n'),
  );
  const { url, program } = await example.start();
  const ann = client(`${url}/stars?token=secret`);

  // Pipes, interceptors, the socket and the hub.
  expect(await ann.request("vote", "4")).toBe(4);
  const bob = client(`${url}/stars?token=secret`);
  expect(await bob.request("vote", 5)).toBe(5);
  expect(await ann.request("vote", 2)).toBe(4);

  // Exceptions.
  await expect(ann.request("vote", "many")).rejects.toMatchObject({
    reason: "refused",
    message: expect.stringContaining("numeric string is expected"),
    data: { statusCode: 400 },
  });
  await expect(ann.request("vote", 0)).rejects.toMatchObject({ reason: "refused", data: "Give it one star." });
  await expect(ann.request("vote", 6)).rejects.toMatchObject({ reason: "too-many-stars", data: { most: 5 } });

  await expect(ann.request("fail")).rejects.toMatchObject({ reason: "handler-failed" });
  await expect.poll(() => program.output).toContain("There are no more stars.");

  // Guards and observables, in a gateway that shares the hub.
  await expect(ann.request("count", "stars")).rejects.toMatchObject({ reason: "refused" });
  expect(await ann.request("count", "count")).toBe(2);

  // The end of a client.
  const gone = new Promise((resolve) => ann.on("gone", resolve));
  await bob.close(1000, "Good night");
  expect(await gone).toBe("Good night");

  // A service of the application decides who may connect.
  const eve = client(`${url}/stars`);
  const refused = new Promise((resolve) => eve.on("hub:state", resolve));
  expect(await refused).toMatchObject({ state: "closed", code: 4001 });

  // Shutdown.
  const closed = new Promise((resolve) => ann.once("hub:state", resolve));
  program.terminate();
  expect(await closed).toMatchObject({ state: "waiting", code: 1001 });
  await program.ended();
});

/** A block of the page that shows no file of the example. */
function snippet(name: string): string {
  const block = blocksOf("docs/frameworks/nestjs.md").find(({ info }) => info[1] === name);
  if (block === undefined) throw new Error(`The page has no snippet "${name}".`);
  return block.text;
}

/** A client of the hub, until the test ends. */
function client(url: string): Client {
  const connected = connect(url, { WebSocket });
  onTestFinished(() => connected.close());
  return connected;
}

import type { Browser } from "playwright-core";
import { connect, type Client } from "roomcast/client";
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { launchBrowser } from "../browser/browser.ts";
import { documented, Example, expectTwoPagesToChat, PATIENCE, UNEXPECTED } from "./example.ts";

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

/** An application as the tools of NestJS 11 make it, without tests and linter: CommonJS. */
const STOCK = {
  "package.json": JSON.stringify({
    private: true,
    scripts: { start: "tsc && node dist/main" },
    dependencies: {
      "@nestjs/common": "11.2.10",
      "@nestjs/core": "11.2.10",
      "@nestjs/platform-express": "11.2.10",
      "reflect-metadata": "0.2.2",
      rxjs: "7.8.2",
    },
    devDependencies: { "@types/node": "20.19.43", typescript: "5.9.3" },
  }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      target: "es2023",
      module: "nodenext",
      isolatedModules: true,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      strictNullChecks: true,
      skipLibCheck: true,
      rootDir: "src",
      outDir: "dist",
    },
  }),
  "src/app.controller.ts": `import { Controller, Get } from "@nestjs/common";

@Controller()
export class AppController {
  @Get("hello")
  hello(): string {
    return "Hello World!";
  }
}
`,
  "src/app.module.ts": `import { Module } from "@nestjs/common";
import { AppController } from "./app.controller";

@Module({
  imports: [],
  controllers: [AppController],
  providers: [],
})
export class AppModule {}
`,
  "src/main.ts": `import { NestFactory } from "@nestjs/core";
import { AppModule } from "./app.module";

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}
void bootstrap();
`,
};

/** What an application takes from the page as it is. */
const TAKEN = [
  "src/roomcast.adapter.ts",
  "src/reply-error.filter.ts",
  "src/member.guard.ts",
  "src/chat.gateway.ts",
  "public/index.html",
];

/** The lines between `create` and `listen` in `main.ts`. */
const CALLS = documented("nestjs", "src/main.ts").replace(/^.*?(app\.useWebSocket.*)await app\.listen.*$/s, "$1");

let example: Example;
let stock: Example;
let browser: Browser;

beforeAll(async () => {
  [example, stock, browser] = await Promise.all([
    Example.install("nestjs"),
    Example.installWithoutChat("nestjs", STOCK, {}),
    launchBrowser(),
  ]);
}, PATIENCE);

afterAll(async () => {
  await browser.close();
  example.remove();
  stock.remove();
}, PATIENCE);

test("two pages chat", { timeout: PATIENCE }, async () => {
  const { url, program } = await example.start();
  await expectTwoPagesToChat(browser, url);
  expect(program.output).not.toMatch(UNEXPECTED);
});

test("an application of NestJS 11, in CommonJS, gets a chat with one command", { timeout: PATIENCE }, async () => {
  await stock.npm("install", "--no-audit", "--no-fund", "@nestjs/websockets@11.2.6", inject("packed"));
  for (const path of TAKEN) stock.write(path, documented("nestjs", path));
  stock.edit("src/app.module.ts", (text) =>
    text
      .replace("providers: []", "providers: [ChatGateway]")
      .replace("\n\n", '\nimport { ChatGateway } from "./chat.gateway";\n\n'),
  );
  stock.edit("src/main.ts", (text) =>
    text
      .replace(".create(", ".create<NestExpressApplication>(")
      .replace(/(?=\n\n)/, '\nimport type { NestExpressApplication } from "@nestjs/platform-express";')
      .replace(/(?=\n\n)/, '\nimport { RoomcastAdapter } from "./roomcast.adapter";')
      .replace("  await app.listen", (listen) => CALLS + listen),
  );
  const { url } = await stock.start();
  await expectTwoPagesToChat(browser, url);
  const hello = await fetch(`${url}/hello`);
  expect(await hello.text()).toBe("Hello World!");
});

test("the tests of the example pass in Jest", { timeout: PATIENCE }, async () => {
  await expect(example.npm("test")).resolves.toBeUndefined();
});

test("gateways have all that the page says", { timeout: PATIENCE }, async () => {
  example.write("src/stars.gateway.ts", documented("nestjs", "stars"));
  example.write("src/more.gateway.ts", MORE);
  example.write(
    "src/users.ts",
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
      .replace("app.useWebSocketAdapter(new RoomcastAdapter(app));\n", () => documented("nestjs", "authenticate"))
      .concat('import { Users } from "./users.js";\n'),
  );
  const { url, program } = await example.start();
  const ann = client(`${url}/stars?token=secret`);

  // Pipes, interceptors, the socket, its beginning and the hub.
  expect(await ann.request("vote", "4")).toBe(4);
  const bob = client(`${url}/stars?token=secret`);
  await expect.poll(() => bob.state).toBe("open");
  expect(await ann.request("vote", 1)).toBe(2);
  expect(await bob.request("vote", 5)).toBe(3);
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
  program.signal("SIGTERM");
  expect(await closed).toMatchObject({ state: "waiting", code: 1001 });
  await program.ended();
});

/** A client of the hub, until the test ends. */
function client(url: string): Client {
  const connected = connect(url, { WebSocket });
  onTestFinished(() => connected.close());
  return connected;
}

import { Hub } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import type { Browser } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { TRANSPORTS } from "../../support/transports.ts";

let browser: Browser;
let script: string;

beforeAll(async () => {
  browser = await launchBrowser();
  script = await bundle();
});

afterAll(() => browser.close());

/** The codec and msgpackr as a browser gets them, in one script that defines `msgpack`. */
async function bundle(): Promise<string> {
  const entry = new URL("../../../src/msgpack/index.ts", import.meta.url).pathname;
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, lib: { entry, formats: ["iife"], name: "msgpack" } },
  });
  const [first] = [built].flat();
  if (first === undefined || !("output" in first)) throw new Error("Nothing was built.");
  return first.output[0].code;
}

describe.each(TRANSPORTS)("MessagePack in a browser, on %s", (transport) => {
  let hub: Hub;

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await hub.close();
  });

  test("bytes, dates, Maps, large integers and all characters survive in both directions", async () => {
    hub = new Hub({ transport, codec: msgpackCodec, origins: "*" });
    const told: unknown[] = [];
    const data = {
      bytes: new Uint8Array(70_000).map((_, index) => index >> 8),
      dates: [new Date(0), new Date(-1), new Date(253_402_300_799_999)],
      map: new Map<unknown, unknown>([
        [1, new Map([[new Date(1), new Uint8Array([1])]])],
        ["\uFEFFé€😀", null],
      ]),
      numbers: [2 ** 53 - 1, -(2n ** 63n), 0.1, Number.NEGATIVE_INFINITY],
      text: `\uFEFF${"é€😀".repeat(400)}`,
    };
    hub.on("connection", (socket) => socket.emit("data", data));
    hub.handle("data", (back) => told.push(back));
    const { port } = await hub.listen({ host: "127.0.0.1" });

    const page = await (await browser.newContext()).newPage();
    await page.addScriptTag({ content: script });
    const seen = await page.evaluate(`new Promise((resolve, reject) => {
      const { msgpackCodec } = msgpack;
      const socket = new WebSocket("ws://127.0.0.1:${port}");
      socket.binaryType = "arraybuffer";
      socket.onerror = reject;
      socket.onmessage = ({ data: message }) => {
        const packet = msgpackCodec.decode(new Uint8Array(message));
        if (packet.event === "data") {
          socket.send(msgpackCodec.encode(packet));
          socket.send(msgpackCodec.encode({ event: "fence", id: 1 }));
        } else if (packet.reply === 1) resolve([typeof Buffer, packet.error.code]);
      };
    })`);
    expect(seen).toStrictEqual(["undefined", "unknown-event"]);
    expect(told).toStrictEqual([data]);
  });
});

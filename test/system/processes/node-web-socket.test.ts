import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Hub, type Socket } from "roomcast";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { installedProgram } from "../installed-program.ts";

const CLIENT = fileURLToPath(new URL("node-web-socket.mjs", import.meta.url));

/** A message that takes a while to inflate; five of them are still nothing to speak of. */
const MESSAGE = JSON.stringify(Array.from({ length: 1_200 }, (_, index) => index * 7919));

/** How a hub ends a client, and what the client sees last. */
const WAYS: Readonly<Record<string, readonly [code: number, end: (hub: Hub, socket: Socket) => unknown]>> = {
  "is closed": [4003, (_hub, socket) => socket.close(4003)],
  "is closed by a target": [4003, (hub, socket) => hub.toSocket(socket.id).close(4003)],
  "is drained": [4200, (hub) => hub.drain()],
  "is left by a hub that closes": [1001, (hub) => hub.close()],
};

// The major versions, besides the oldest one, that have a WebSocket of their own and long-term support.
describe.each([22, 24])("the WebSocket of Node.js %i", (version) => {
  let node: string;

  beforeAll(async () => {
    node = await installedProgram(`node@${version}`, "bin/node");
  }, 120_000);

  async function connect(hub: Hub, ...protocols: readonly string[]): Promise<{ code: number; last: number }> {
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const { stdout } = await promisify(execFile)(node, [CLIENT, `ws://127.0.0.1:${port}`, ...protocols]);
    return JSON.parse(stdout) as { code: number; last: number };
  }

  describe.each(TRANSPORTS)("on %s", (transport) => {
    test.each(Object.keys(WAYS))(
      "with compression, a client that %s sees the last message and the code",
      async (way) => {
        const [code, end] = WAYS[way] as (typeof WAYS)[string];
        const hub = new Hub({ transport, compression: true, welcome: false });
        hub.on("connection", (socket) => {
          for (let count = 0; count < 5; count++) socket.send(MESSAGE);
          void end(hub, socket);
        });
        // The last message of a drain says when to reconnect.
        const last = code === 4200 ? '{"event":"hub:bye"}'.length : MESSAGE.length;
        const seen = await connect(hub);
        expect(seen.code).toBe(code);
        expect(seen.last).toBeGreaterThanOrEqual(last);
      },
    );

    test("with compression, a client that is refused sees the code", async () => {
      const hub = new Hub({ transport, compression: true, authenticate: () => false });
      expect(await connect(hub, jsonCodec.protocol)).toMatchObject({ code: 4001 });
    });
  });
});

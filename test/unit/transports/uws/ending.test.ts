import { Buffer } from "node:buffer";
import { Hub } from "roomcast";
import { describe, expect, onTestFinished, test } from "vitest";
import { closePayload, Opcode, rawFrame } from "../../../../src/testing/raw-frame.ts";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { loadLibrary } from "../../../../src/transports/uws/library.ts";
import { listenOn } from "../../../../src/transports/uws/listening.ts";
import { TRANSPORTS } from "../../../support/transports.ts";

const { text, close } = Opcode;
const HOST = "127.0.0.1";
const REQUEST = '{"event":"work","id":1,"data":"x"}';
const REPLY = '{"reply":1,"data":"x"}';

/** What a client sends in one segment with a request, and what it sees of both. */
const ENDS: readonly (readonly [what: string, bytes: Buffer, seen: readonly (string | number)[]])[] = [
  ["a close frame", rawFrame(close, closePayload(1000)), [REPLY, 1000]],
  ["a close frame without a code", rawFrame(close), [REPLY, 1005]],
  // The library cuts whoever breaks the protocol, and loses what it gathers meanwhile.
  ["a frame with a reserved bit", rawFrame(text, "x", { reserved: 2 }), []],
  ["text that is not UTF-8", rawFrame(text, Buffer.from([0xff])), []],
];

async function hub(): Promise<number> {
  const server = new Hub({ transport: "uws", welcome: false });
  onTestFinished(() => server.close());
  server.handle("work", (data) => data);
  return (await server.listen({ host: HOST })).port;
}

/** A server on the bare library that answers as the hub does. */
function bare(): number {
  const library = loadLibrary();
  const app = library.App();
  onTestFinished(() => void app.close());
  app.ws("/*", { message: (native) => void native.send(REPLY) });
  const listening = listenOn(app, { host: HOST });
  return listening === false ? 0 : library.us_socket_local_port(listening);
}

/** The frames that a client gets which sends all of this at once. */
async function heard(port: number, end: Buffer): Promise<(string | number)[]> {
  const client = await RawClient.connect(port);
  onTestFinished(() => client.vanish());
  client.write(rawRequest("/", UPGRADE_HEADERS));
  expect((await client.response())?.status).toBe(101);
  client.write(rawFrame(text, REQUEST), end);
  const frames: (string | number)[] = [];
  for (;;) {
    const frame = await client.frame();
    if (frame === undefined) return frames;
    if (frame.opcode === close) return [...frames, frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE()];
    frames.push(frame.payload.toString());
  }
}

describe.runIf(TRANSPORTS.includes("uws"))("a reply that was made at once", () => {
  test.each(ENDS)(
    "has the fate that it has on the bare library, if %s came with the request",
    async (_what, end, seen) => {
      expect(await heard(bare(), end)).toEqual(seen);
      expect(await heard(await hub(), end)).toEqual(seen);
    },
  );
});

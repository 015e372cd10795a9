import { msgpackCodec } from "roomcast/msgpack";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { Play } from "../../support/vectors/play.ts";
import { ScriptServer } from "../../support/vectors/script-server.ts";
import { casesOf, VECTORS } from "../../support/vectors/vectors.ts";
import { Application } from "./application.ts";

let play: Play;

beforeEach(async () => {
  // A client that is to wait does wait; one that is not does not.
  vi.spyOn(Math, "random").mockReturnValue(0.999);
  play = new Play(await ScriptServer.start(), ({ url, auth, subprotocol, stableAfter }) => {
    const codec = subprotocol === msgpackCodec.protocol ? msgpackCodec : jsonCodec;
    return new Application(url, auth, codec, stableAfter === undefined ? {} : { stableAfter });
  });
});

afterEach(async () => {
  await play.end();
  vi.restoreAllMocks();
});

test.each(VECTORS.client.flatMap(casesOf))("$title", async (vector) => {
  expect(await play.run(vector)).toStrictEqual(vector.steps);
});

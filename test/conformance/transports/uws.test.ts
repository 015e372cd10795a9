import { msgpackCodec } from "roomcast/msgpack";
import { overSockets, transportSuite } from "roomcast/testing";
import { uws } from "roomcast/transports/uws";
import { describe, expect, it } from "vitest";
import { loadLibrary } from "../../../src/transports/uws/library.ts";
import { TRANSPORTS, uwsObstacle } from "../../support/transports.ts";
import { withTopicsForAll } from "../../support/with-topics-for-all.ts";

it("uWebSockets.js loads and is tested", (context) => {
  if (uwsObstacle !== undefined) {
    console.warn(
      `\nNOT TESTED: the transport "uws" on Node.js ${process.versions.node}.\n` +
        `uWebSockets.js cannot be loaded on this machine:\n${uwsObstacle}\n`,
    );
    context.skip(`uWebSockets.js cannot be loaded by Node.js ${process.versions.node} on this machine`);
  }
  expect(loadLibrary().App).toBeTypeOf("function");
  expect(TRANSPORTS).toContain("uws");
});

if (uwsObstacle === undefined) {
  transportSuite({ describe, it }, overSockets("uws", uws));
  transportSuite({ describe, it }, overSockets("uws with compression", uws, { compression: true }));
  transportSuite({ describe, it }, overSockets("uws in MessagePack", uws, { codec: msgpackCodec }));
  transportSuite(
    { describe, it },
    overSockets("uws with topics for all groups", () => withTopicsForAll(uws())),
  );
}

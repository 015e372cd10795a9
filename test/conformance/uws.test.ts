import { expect, test } from "vitest";
import { loadLibrary } from "../../src/transports/uws/library.ts";
import { TRANSPORTS, uwsObstacle } from "../support/transports.ts";

test("uWebSockets.js loads and is tested", (context) => {
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

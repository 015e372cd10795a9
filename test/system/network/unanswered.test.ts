import { Hub } from "roomcast";
import { describe, test } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../src/testing/raw-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";

/** Requests that uWebSockets.js never answers; `test/docs/uws.test.ts` holds the words about them to the truth. */
const UNANSWERED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "more than 98 headers": Object.fromEntries(Array.from({ length: 94 }, (_, index) => [`X-Header-${index}`, "x"])),
  "a header with `_` in its name": { session_id: "1" },
};

describe.runIf(TRANSPORTS.includes("uws")).concurrent("a request that uWebSockets.js never answers", () => {
  test.for(Object.entries(UNANSWERED))(
    "ends after some 12 seconds: %s",
    async ([, headers], { expect, onTestFinished }) => {
      const hub = new Hub({ transport: "uws" });
      onTestFinished(() => hub.close());
      const { port } = await hub.listen({ host: "127.0.0.1" });
      const client = await RawClient.connect(port);
      onTestFinished(() => client.vanish());
      const sent = performance.now();
      client.write(rawRequest("/", { ...UPGRADE_HEADERS, ...headers }));
      expect(await client.response()).toBeUndefined();
      const seconds = (performance.now() - sent) / 1_000;
      expect(seconds).toBeGreaterThan(7);
      expect(seconds).toBeLessThan(20);
    },
  );
});

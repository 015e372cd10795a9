import { describe, expect, it } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS } from "../../../../src/testing/raw-client.ts";
import { agreedRequest } from "../../../../src/transports/ws/negotiation.ts";
import { WsFixture } from "./ws-fixture.ts";

const acceptable = (offers: string): string | undefined =>
  agreedRequest({ "sec-websocket-extensions": offers }, "").headers["sec-websocket-extensions"];

describe("of the extensions that a client offers", () => {
  it.each([
    ["permessage-deflate"],
    ["permessage-deflate; client_max_window_bits"],
    ["permessage-deflate; server_no_context_takeover; client_no_context_takeover"],
    ['permessage-deflate; server_max_window_bits="10"; client_max_window_bits=15'],
    ["permessage-deflate; client_max_window_bits, permessage-deflate"],
  ])("%s is handed to ws", (offers) => {
    expect(acceptable(offers)).toBe(offers);
  });

  it.each([
    [""],
    [",,"],
    ["permessage-bzip2"],
    ["x-webkit-deflate-frame"],
    ["permessage-deflate; server_max_window_bits"],
    ["permessage-deflate; server_max_window_bits=7"],
    ["permessage-deflate; client_max_window_bits=16"],
    ["permessage-deflate; client_max_window_bits=010"],
    ["permessage-deflate; server_no_context_takeover=1"],
    ["permessage-deflate; unknown"],
    ["permessage-deflate; client_max_window_bits; client_max_window_bits=10"],
    ["permessage-deflate;"],
    ["permessage-deflate; ="],
    ['other; text=", permessage-deflate, "'],
    ['other; text="\\", permessage-deflate'],
  ])("%s is declined", (offers) => {
    expect(acceptable(offers)).toBeUndefined();
  });

  it.each([
    "permessage-deflate; server_max_window_bits=99, permessage-deflate",
    "=, permessage-deflate",
    " ,permessage-deflate ; client_max_window_bits = 15 ",
    'other; a="1,2", permessage-deflate; unknown, permessage-deflate',
  ])("the good one of %s is agreed on", async (offers) => {
    const fixture = await WsFixture.open({ compression: true });
    const client = new RawClient(await fixture.tcp());
    client.write(rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Extensions": offers }));
    const response = await client.response();
    expect(response?.status).toBe(101);
    expect(response?.headers.get("sec-websocket-extensions")).toMatch(
      /^permessage-deflate;.* server_no_context_takeover$/,
    );
  });

  it("a header of quotes and backslashes is read in a time that follows from its length", () => {
    expect(acceptable(`a="${"\\\\".repeat(7_000)}`)).toBeUndefined();
    expect(acceptable('"'.repeat(14_001))).toBeUndefined();
  });
});

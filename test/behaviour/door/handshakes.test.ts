import { Buffer } from "node:buffer";
import type { HubOptions } from "roomcast";
import { describe, expect, it } from "vitest";
import { RawClient, rawRequest, UPGRADE_HEADERS, type RawResponse } from "../../../src/testing/raw-client.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { HandshakeFixture } from "./handshake-fixture.ts";

type Headers = Readonly<Record<string, string | readonly string[]>>;

async function answerTo(port: number, request: Buffer): Promise<RawResponse | undefined> {
  const client = await RawClient.connect(port);
  client.write(request);
  const response = await client.response();
  client.vanish();
  return response;
}

describe.each(TRANSPORTS)("a request to a hub with a server of its own, on %s", (transport) => {
  const open = (options?: HubOptions): Promise<HandshakeFixture> => HandshakeFixture.open(transport, options);

  it.each<[string, number, Headers]>([
    ["has no key", 400, { "Sec-WebSocket-Key": [] }],
    ["has a short key", 400, { "Sec-WebSocket-Key": "c2hvcnQ=" }],
    ["has a key of 24 characters that are not 16 bytes", 400, { "Sec-WebSocket-Key": "?".repeat(24) }],
    ["is of version 7", 426, { "Sec-WebSocket-Version": "7" }],
    ["is of version 8", 426, { "Sec-WebSocket-Version": "8" }],
    ["is of no version", 426, { "Sec-WebSocket-Version": [] }],
    ["asks for HTTP/2", 426, { Upgrade: "h2c", Connection: "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABk" }],
    ["has a body", 426, { "Content-Length": "5" }],
    ["has a body in chunks", 426, { "Transfer-Encoding": "chunked" }],
    ["asks for no upgrade", 426, { Upgrade: [] }],
    ["does not name the upgrade in its connection", 426, { Connection: "keep-alive" }],
  ])("that %s gets %i, is shown to nobody and takes no place", async (_, status, headers) => {
    const asked: string[] = [];
    const fixture = await open({
      maxConnections: 1,
      admit: () => asked.push("admit") > 0,
      authenticate: () => void asked.push("authenticate"),
    });
    const response = await answerTo(fixture.port, rawRequest("/", { ...UPGRADE_HEADERS, ...headers }));
    expect(response?.status).toBe(status);
    expect(response?.headers.get("upgrade")).toBe(status === 426 ? "websocket" : undefined);
    const post = rawRequest("/", { ...UPGRADE_HEADERS, "Content-Length": "0" })
      .toString()
      .replace("GET", "POST");
    expect((await answerTo(fixture.port, Buffer.from(post)))?.status).toBe(426);
    expect(asked).toEqual([]);
    expect(fixture.refusals.take()).toEqual([]);
    expect(await fixture.status()).toBe(401);
    expect(asked).toEqual(["admit", "authenticate"]);
  });

  it("of a wrong version is told the right one", async () => {
    const { port } = await open();
    const response = await answerTo(port, rawRequest("/", { ...UPGRADE_HEADERS, "Sec-WebSocket-Version": "7" }));
    expect(response?.headers.get("sec-websocket-version")).toBe("13");
  });

  it("may name WebSocket among other upgrades, in any case", async () => {
    const { port } = await open();
    const headers = { ...UPGRADE_HEADERS, Upgrade: "h2c, WebSocket", Connection: "keep-alive, UPGRADE" };
    expect((await answerTo(port, rawRequest("/", headers)))?.status).toBe(101);
  });

  it.each([
    ["", undefined],
    [",", undefined],
    [" , chat,", "chat"],
    ["chat,chat", "chat"],
    ["other, ,chat", "chat"],
    ["other", undefined],
    ["not a token", undefined],
  ])("with the subprotocols %j agrees on %s", async (offered, agreed) => {
    const { port } = await open({ protocols: ["chat"] });
    const headers = { ...UPGRADE_HEADERS, "Sec-WebSocket-Protocol": offered };
    const response = await answerTo(port, rawRequest("/", headers));
    expect(response?.status).toBe(101);
    expect(response?.headers.get("sec-websocket-protocol")).toBe(agreed);
  });

  it("has headers in UTF-8", async () => {
    const fixture = await open();
    const cookies = ["a=1", "b=2"];
    await RawClient.connect(fixture.port).then((client) =>
      client.write(
        rawRequest("/chat?name=J%C3%B6rg", {
          ...UPGRADE_HEADERS,
          "X-Name": "Jörg 😀.",
          "X-Letters": ["=é=", "=ü="],
          "Set-Cookie": cookies,
          Cookie: cookies,
          Authorization: ["first", "second"],
        }),
      ),
    );
    const { handshake } = (await fixture.connected.next()) ?? {};
    expect(handshake?.url).toBe("/chat?name=J%C3%B6rg");
    expect(handshake?.headers).toMatchObject({
      "x-name": "Jörg 😀.",
      "x-letters": "=é=, =ü=",
      "set-cookie": "a=1, b=2",
      cookie: "a=1; b=2",
      authorization: "first",
    });
  });

  it("has U+FFFD for bytes that are no UTF-8", async () => {
    const fixture = await open();
    const latin1 = rawRequest("/", { ...UPGRADE_HEADERS, "X-Name": "Jörg" }).toString();
    const client = await RawClient.connect(fixture.port);
    client.write(Buffer.from(latin1, "latin1"));
    expect((await fixture.connected.next())?.handshake.headers["x-name"]).toBe("J\ufffdrg");
  });
});

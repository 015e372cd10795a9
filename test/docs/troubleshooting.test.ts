import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { runInNewContext } from "node:vm";
import { Hub, type HubOptions } from "roomcast";
import { connect } from "roomcast/client";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { WebSocketServer, type ClientOptions } from "ws";
import { WireErrorCode } from "../../src/protocol/packet.ts";
import { freePort } from "../support/free-port.ts";
import { startClient } from "../support/clients.ts";
import { openMemoryHub } from "../support/memory-hub.ts";
import { codesIn, sectionOf, tablesOf } from "../support/markdown.ts";
import { collectWarnings } from "../support/warnings.ts";
import { upgradeStatus, WsClient } from "../support/ws-client.ts";

function rowsOf(heading: string): readonly (readonly string[])[] {
  return tablesOf(sectionOf("docs/TROUBLESHOOTING.md", heading))[0] ?? [];
}

/** Starts a hub that is closed when the test ends. */
async function listen(options: HubOptions = {}): Promise<string> {
  const hub = new Hub(options);
  hub.on("refusal", () => {});
  onTestFinished(() => hub.close());
  const { port } = await hub.listen({ host: "127.0.0.1" });
  return `ws://127.0.0.1:${port}/`;
}

async function refused(hub: HubOptions, client?: ClientOptions): Promise<string> {
  return String(await upgradeStatus(await listen(hub), client));
}

/** Waits for the reason of a client that could not connect. */
async function reasonAt(url: string): Promise<string> {
  const client = startClient(url, { reconnect: false });
  return new Promise((resolve) => void client.on("hub:state", ({ reason = "" }) => resolve(reason)));
}

/** What brings about that somebody sees the text of the first column. */
const SEEN: Readonly<Record<string, () => Promise<string>>> = {
  "401": () => refused({ authenticate: () => undefined }),
  "403": () => refused({}, { headers: { origin: "null" } }),
  "404": () => refused({ path: "/chat" }),
  "426": async () => String((await fetch((await listen()).replace("ws", "http"))).status),
  "429": async () => {
    const url = await listen({ maxConnectionsPerAddress: 1 });
    await WsClient.connect(url);
    return String(await upgradeStatus(url));
  },
  "503": () => refused({ admit: () => false }),
  ECONNREFUSED: async () => reasonAt(`ws://127.0.0.1:${await freePort()}`),
  "1006": async () => {
    const hub = new Hub();
    hub.on("connection", (socket) => socket.terminate());
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    return String((await (await WsClient.connect(`ws://127.0.0.1:${port}`)).closed).code);
  },
  "No subprotocol was agreed on": async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
    onTestFinished(() => server.close());
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return reasonAt(`ws://127.0.0.1:${port}`);
  },
  "This platform has no WebSocket": async () => {
    vi.stubGlobal("WebSocket", undefined);
    onTestFinished(() => void vi.unstubAllGlobals());
    return messageOf(() => connect("ws://localhost"));
  },
};

function messageOf(act: () => unknown): string {
  try {
    act();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("a client that does not connect", () => {
  const symptoms = rowsOf("The client does not connect").map(([first = ""]) => codesIn(first)[0] ?? "");

  test("sees what the table has", () => {
    expect(symptoms.toSorted()).toStrictEqual(Object.keys(SEEN).toSorted());
  });

  test.each(symptoms)("sees %s where the table says that it comes from", async (symptom) => {
    expect(await SEEN[symptom]?.()).toContain(symptom);
  });
});

test("the errors in the table of what does not arrive are those of the protocol", () => {
  const codes = rowsOf("It connects, and nothing arrives").flatMap(([first = ""]) => codesIn(first));
  const errors = codes.filter((code) => code.includes("-"));
  expect(errors.length).toBeGreaterThan(2);
  expect(errors.filter((code) => !Object.values<string>(WireErrorCode).includes(code))).toStrictEqual([]);
});

test.each(rowsOf("Mistakes that say what to write"))("%s says %s", async (code = "", text = "") => {
  const { hub, socket } = await openMemoryHub();
  const warnings = collectWarnings();
  let message: string;
  try {
    await (runInNewContext(codesIn(code)[0] ?? "", { Hub, hub, server: createServer(), socket }) as unknown);
    message = warnings.map((warning) => warning.message).join();
  } catch (error) {
    ({ message } = error as Error);
  }
  expect(message).toContain(codesIn(text)[0]);
});

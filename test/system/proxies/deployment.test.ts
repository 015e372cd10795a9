import { setTimeout as sleep } from "node:timers/promises";
import type { Hub, TransportName } from "roomcast";
import { connect, type Client } from "roomcast/client";
import { describe, expect, onTestFinished, test } from "vitest";
import { reached } from "../../support/clients.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { upgradeStatus } from "../../support/ws-client.ts";
import { startHub, TrustingWebSocket } from "./hubs.ts";
import { CERTIFICATE, PROXIES, ReverseProxy, served } from "./reverse-proxy.ts";

const CLIENTS = 20;

interface Node {
  readonly hub: Hub;
  readonly port: number;
  /** The requests that were handled. */
  handled: number;
}

/** What became of the requests of a client. */
interface Outcome {
  answered: number;
  readonly failures: unknown[];
  /** The nodes that answered, each when it was another than before. */
  readonly nodes: string[];
}

/** Starts a node that takes some time for each answer. */
async function startNode(transport: TransportName, name: string): Promise<Node> {
  const { hub, port } = await startHub(transport, { path: "/chat", trustProxy: 1 });
  const node: Node = { hub, port, handled: 0 };
  hub.handle("work", async () => {
    node.handled++;
    await sleep(20);
    return name;
  });
  return node;
}

/** Sends one request after the other until `isOver`. */
async function work(client: Client, isOver: () => boolean): Promise<Outcome> {
  const outcome: Outcome = { answered: 0, failures: [], nodes: [] };
  while (!isOver()) {
    try {
      const node = String(await client.request("work", undefined, { idempotent: true }));
      outcome.answered++;
      if (outcome.nodes.at(-1) !== node) outcome.nodes.push(node);
    } catch (error) {
      outcome.failures.push(error);
    }
    await sleep(5);
  }
  return outcome;
}

describe.each(TRANSPORTS)("a deployment on %s", (transport) => {
  test.each(PROXIES)("behind %s fails no request, and has none handled twice", async (proxy) => {
    const one = await startNode(transport, "one");
    const two = await startNode(transport, "two");
    const { port } = await ReverseProxy.start(proxy, (where) =>
      // The certificate that the clients trust is that of localhost.
      served(proxy, [one.port, two.port])(where).replaceAll("chat.example:", "localhost:"),
    );
    const clients = Array.from({ length: CLIENTS }, () => {
      const client = connect(`wss://localhost:${port}/chat`, { WebSocket: TrustingWebSocket });
      onTestFinished(() => client.close());
      return client;
    });
    await Promise.all(clients.map((client) => reached(client, "open")));
    expect(one.hub.sockets.size).toBeGreaterThan(0);
    expect(two.hub.sockets.size).toBeGreaterThan(0);

    let isOver = false;
    const outcomes = clients.map((client) => work(client, () => isOver));
    await sleep(300);
    const drained = one.hub.drain({ within: 1_000, spread: 500 });
    const statuses: (number | undefined)[] = [];
    for (let round = 0; round < 5; round++) {
      statuses.push(await upgradeStatus(`wss://localhost:${port}/chat`, { ca: CERTIFICATE }));
    }
    // Caddy alone shows a client the answer of the node that drains, and then asks the other one.
    const refusals = statuses.filter((status) => status !== 101).join();
    expect(proxy === "caddy" ? ["", "503"] : [""]).toContain(refusals);
    const late = connect(`wss://localhost:${port}/chat`, { WebSocket: TrustingWebSocket });
    onTestFinished(() => late.close());
    await Promise.all([drained, reached(late, "open")]);
    expect(await late.request("work")).toBe("two");
    while (two.hub.sockets.size < CLIENTS + 1) await sleep(20);
    await sleep(200);
    isOver = true;
    const settled = await Promise.all(outcomes);
    expect(settled.flatMap(({ failures }) => failures)).toEqual([]);
    const answers = settled.reduce((sum, { answered }) => sum + answered, 1);
    expect(one.handled + two.handled).toBe(answers);
    for (const { answered, nodes } of settled) {
      expect(answered).toBeGreaterThan(3);
      expect(["two", "one,two"]).toContain(nodes.join());
    }
    expect(settled.some(({ nodes }) => nodes.length === 2)).toBe(true);
  });
});

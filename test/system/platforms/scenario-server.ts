import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Hub, type Socket, type TransportName } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { WebSocketServer } from "ws";
import { createDeferred } from "../../../src/deferred.ts";
import { freePort } from "../../support/free-port.ts";

/** Where the scenario connects to. */
export interface ScenarioUrls {
  readonly hub: string;
  readonly elsewhere: string;
  readonly foreign: string;
  readonly nowhere: string;
}

/** The hub that the scenario plays against, and a server that is none. */
export class ScenarioServer {
  readonly urls: ScenarioUrls;
  readonly #transport: TransportName;
  readonly #port: number;
  readonly #foreign: WebSocketServer;
  readonly #attempts = new Map<string, number>();
  readonly #ends = new Map<string, unknown>();
  /** What clients wait for whose URL has `slow` in its query. */
  readonly #admission = createDeferred();
  #areWaiting = false;
  #hub: Hub;
  #payments = 0;

  static async start(transport: TransportName): Promise<ScenarioServer> {
    const foreign = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => false });
    await once(foreign, "listening");
    const server = new ScenarioServer(transport, foreign, await freePort(), await freePort());
    await server.#listen();
    return server;
  }

  private constructor(transport: TransportName, foreign: WebSocketServer, port: number, deadPort: number) {
    this.#transport = transport;
    this.#foreign = foreign;
    this.#port = port;
    this.#hub = this.#createHub();
    this.urls = {
      hub: `${at(port)}/chat`,
      elsewhere: `${at(port)}/elsewhere`,
      foreign: at((foreign.address() as AddressInfo).port),
      nowhere: at(deadPort),
    };
  }

  async stop(): Promise<void> {
    for (const socket of this.#foreign.clients) socket.terminate();
    this.#foreign.close();
    await this.#hub.close();
  }

  async #listen(): Promise<void> {
    await this.#hub.listen({ host: "127.0.0.1", port: this.#port });
  }

  async #restart(): Promise<void> {
    await this.#hub.close();
    this.#hub = this.#createHub();
    await this.#listen();
  }

  #createHub(): Hub {
    const hub = new Hub({
      transport: this.#transport,
      path: "/chat",
      origins: "*",
      compression: true,
      codecs: [msgpackCodec],
      joinable: (room) => room === "lobby",
      admit: async ({ query }) => {
        if (query.has("slow")) {
          this.#areWaiting = true;
          await this.#admission.promise;
        }
        return true;
      },
      authenticate: ({ auth }) => {
        const { name } = auth as { readonly name: string };
        this.#attempts.set(name, (this.#attempts.get(name) ?? 0) + 1);
        return name === "ann" && { id: name };
      },
    });
    hub.on("disconnection", ({ handshake }, how) => this.#ends.set([...handshake.query.keys()].join("&"), how));
    hub.on("message", (socket, message) => socket.send(message));
    hub.handle("handshake", (_, { handshake: { url, auth } }: Socket) => ({ url, auth }));
    hub.handle("shout", (text: string, socket) => socket.emit("echo", text));
    hub.handle("sum", (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0));
    hub.handle("ask me", (question: string, socket) => socket.request("confirm", question));
    hub.handle("never", () => new Promise(() => {}));
    hub.handle("tell the lobby", (news: unknown) => hub.to("lobby").emit("news", news));
    hub.handle("same", (data: unknown) => data);
    hub.handle("cut", (_, socket) => socket.terminate());
    hub.handle("pay", (amount: number, socket) => {
      this.#payments += amount;
      socket.terminate();
      return this.#payments;
    });
    hub.handle("restart", () => void this.#restart());
    hub.handle("kick me", (_, socket) => socket.close(4003, "kicked"));
    hub.handle("somebody waits for admission", () => this.#areWaiting);
    hub.handle("admit all", () => this.#admission.resolve());
    hub.handle("newcomers", () => hub.stats().newcomers);
    hub.handle("attempts of", (name: string) => this.#attempts.get(name) ?? 0);
    hub.handle(
      "connections with",
      (key: string) => [...hub.sockets.values()].filter(({ handshake }) => handshake.query.has(key)).length,
    );
    hub.handle("last end of", (key: string) => this.#ends.get(key));
    return hub;
  }
}

function at(port: number): string {
  return `ws://127.0.0.1:${port}`;
}

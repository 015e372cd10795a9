import { connect, type Client, type ClientError, type ClientState, type ConnectOptions } from "roomcast/client";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { Welcome } from "../../src/protocol/packet.ts";
import { ScriptedServer, type Peer } from "./scripted-server.ts";

/** Options with waits that are over at once and connections that count as stable from their beginning. */
export const QUICK = { minDelay: 1, maxDelay: 1, stableAfter: 0 } as const;

/** Starts a server that stops when the test ends. */
export async function startServer(protocol?: string): Promise<ScriptedServer> {
  const server = await ScriptedServer.start(protocol);
  onTestFinished(() => server.stop());
  return server;
}

/** Starts a client on `ws` that is closed when the test ends. */
export function startClient(url: string | URL, options: ConnectOptions = {}): Client {
  const client = connect(url, { WebSocket, reconnect: QUICK, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Resolves with an open client and its server, which welcomes it so. */
export async function openClient(
  options: ConnectOptions = {},
  welcome: Partial<Welcome> = {},
): Promise<{ readonly server: ScriptedServer; readonly client: Client; readonly peer: Peer }> {
  const server = await startServer();
  const client = startClient(server.url, options);
  const [peer] = await Promise.all([server.admit(welcome), reached(client, "open")]);
  return { server, client, peer };
}

/** Resolves when the client next reaches this state. */
export function reached(client: Client, state: ClientState): Promise<void> {
  return new Promise((resolve) => {
    const listener = (change: { readonly state: ClientState }): void => {
      if (change.state !== state) return;
      client.off("hub:state", listener);
      resolve();
    };
    client.on("hub:state", listener);
  });
}

/** Resolves with the client's next `hub:error`. */
export function nextError(client: Client): Promise<ClientError> {
  return new Promise((resolve) => {
    client.once("hub:error", resolve);
  });
}

/** Resolves with the error that the promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<ClientError> {
  try {
    await promise;
  } catch (error) {
    return error as ClientError;
  }
  throw new Error("It did not reject.");
}

/** Returns the error that the call throws. */
export function thrown(call: () => unknown): ClientError {
  try {
    call();
  } catch (error) {
    return error as ClientError;
  }
  throw new Error("It did not throw.");
}

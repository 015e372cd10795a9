import { Hub, type Handshake, type HubOptions, type TransportName } from "roomcast";
import { onTestFinished } from "vitest";
import type { ConnectionOptions } from "node:tls";
import { WebSocket, type ClientOptions } from "ws";
import { freePort } from "../../support/free-port.ts";
import { WsClient } from "../../support/ws-client.ts";
import { CERTIFICATE } from "./reverse-proxy.ts";

/** A hub behind a proxy that tells its clients what it sees of their handshakes. */
export async function startHub(
  transport: TransportName,
  options: HubOptions = {},
): Promise<{ hub: Hub; port: number }> {
  const hub = new Hub({ transport, ...options });
  hub.handle("handshake", (_data, { handshake }) => seenOf(handshake));
  hub.handle("echo", (data) => data);
  const port = await freePort();
  await hub.listen({ host: "127.0.0.1", port });
  onTestFinished(() => hub.close());
  return { hub, port };
}

function seenOf({ url, remoteAddress, secure, headers }: Handshake): object {
  return { url, remoteAddress, secure, host: headers["host"] };
}

/** The options of a client that trusts the proxies' certificate, and calls the proxy by this name. */
export function calling(
  host: string,
  headers: Readonly<Record<string, string>> = {},
): ClientOptions & ConnectionOptions {
  return { ca: CERTIFICATE, servername: "localhost", headers: { host, ...headers } };
}

/** A WebSocket for the client library that trusts the proxies' certificate. */
export class TrustingWebSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols, { ca: CERTIFICATE });
  }
}

/** Connects a plain client and asks the hub for what it sees. */
export async function seen(url: string, options: ClientOptions = {}): Promise<Record<string, unknown>> {
  const client = await WsClient.connect(url, options);
  onTestFinished(() => client.vanish());
  await client.next();
  client.send({ event: "handshake", id: 1 });
  const { data } = (await client.nextJson()) as { readonly data: Record<string, unknown> };
  return data;
}

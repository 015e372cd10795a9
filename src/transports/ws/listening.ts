import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { ListenOptions, TlsOptions, TransportSettings } from "../transport.ts";
import { endpointPage } from "../shared/endpoint-page.ts";

/** The interval at which Node.js looks for connections that have not sent their request in time, in milliseconds. */
const CHECKING_INTERVAL = 1_000;

/** The number of TCP connections beside `maxConnections` and an eighth of it: handshakes, refusals and closes. */
const SPARE_CONNECTIONS = 64;

/** The delay after which a client may try again that finds the hub closing, in seconds. */
const RETRY_AFTER = 5;

/**
 * Creates a server that listens on an address and tells ordinary HTTP requests to upgrade.
 *
 * It disconnects clients that have not sent a whole request, or not finished the TLS handshake, in `handshakeTimeout`. By
 * default Node.js would wait for minutes.
 *
 * @throws {Error} as a rejection: the system's error.
 */
export async function listenOn(
  { port = 0, host, socketPath, tls }: ListenOptions,
  { handshakeTimeout: timeout, maxConnections }: TransportSettings,
): Promise<Server | TlsServer> {
  const limits = {
    headersTimeout: timeout,
    requestTimeout: timeout,
    connectionsCheckingInterval: Math.min(timeout, CHECKING_INTERVAL),
  };
  const server =
    tls === undefined
      ? createServer(limits)
      : createTlsServer({ ...limits, ...(await readTls(tls)), handshakeTimeout: timeout });
  if (maxConnections !== undefined) {
    server.maxConnections = maxConnections + SPARE_CONNECTIONS + Math.ceil(maxConnections / 8);
  }
  server.maxRequestsPerSocket = 1;
  server.on("request", ({ headers: { accept }, method }, response) => {
    response.setHeader("Content-Type", "text/plain; charset=utf-8").setHeader("Connection", "close");
    // Once the hub listens for no more upgrades, because it closes, they come here. A proxy or a client that is told 503
    // tries another node.
    if (server.listenerCount("upgrade") === 0) {
      response.writeHead(503, { "Retry-After": RETRY_AFTER }).end("The server is shutting down");
      return;
    }
    const { status, headers, message } = endpointPage(method, accept);
    response.writeHead(status, headers).end(message);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath === undefined ? { port, host } : { path: socketPath }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return server;
}

async function readTls({ certFile, keyFile, passphrase }: TlsOptions): Promise<object> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  return { cert, key, passphrase };
}

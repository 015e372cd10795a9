import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { ListenOptions, TlsOptions } from "../transport.ts";

/** The interval at which Node.js looks for connections that have not sent their request in time, in milliseconds. */
const CHECKING_INTERVAL = 1_000;

/**
 * Creates a server that listens on an address.
 *
 * It disconnects clients that have not sent a whole request, or not finished the TLS handshake, in time. By default
 * Node.js would wait for minutes.
 *
 * @param timeout - the time for the request and for the TLS handshake, in milliseconds.
 * @throws {Error} as a rejection: the system's error.
 */
export async function listenOn(
  { port = 0, host, socketPath, tls }: ListenOptions,
  timeout: number,
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

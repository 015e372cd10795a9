import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { ListenOptions, TlsOptions } from "../transport.ts";

/** How often connections are looked at that have not sent their request, in milliseconds. */
const CHECKING_INTERVAL = 1_000;

/**
 * A server that listens there. Rejects with the system's error.
 *
 * Whoever has not sent a whole request, or not finished the TLS handshake, after `timeout` milliseconds is cut off: Node
 * alone would wait for minutes.
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

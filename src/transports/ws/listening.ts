import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { ListenOptions, TlsOptions } from "../../transport.ts";

/** A server that listens there. Rejects with the system's error. */
export async function listenOn({ port = 0, host, socketPath, tls }: ListenOptions): Promise<Server | TlsServer> {
  const server = tls === undefined ? createServer() : createTlsServer(await readTls(tls));
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

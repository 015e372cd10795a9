import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

/**
 * A port of 127.0.0.1 that a server can be restarted on. Not one that the server found itself with port 0: on that,
 * uWebSockets.js leaves out SO_REUSEADDR, and connections that are not quite gone keep it for a minute.
 */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

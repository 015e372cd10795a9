import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ws } from "roomcast/transports/ws";
import { FAREWELL, type StartPageServer } from "./page-server.ts";

/** On `ws`, the hub is attached to an ordinary HTTP server, which goes on answering everything else. */
export const startOnWs: StartPageServer = async ({ assets, createHub }, port) => {
  const server = createServer((request, response) => {
    const asset = assets.get((request.url ?? "/").replace(/\?.*/s, ""));
    if (asset === undefined) response.writeHead(404).end("Not found\n");
    else if (request.method !== "GET") response.writeHead(405, { Allow: "GET" }).end("Method not allowed\n");
    else response.writeHead(200, asset.headers).end(asset.body);
  });
  const hub = createHub(ws({ server }));

  server.listen(port);
  await once(server, "listening");

  return {
    port: (server.address() as AddressInfo).port,
    async drain() {
      // The server goes on meanwhile, so that whoever comes hears when to try again.
      await hub.drain(FAREWELL);
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};

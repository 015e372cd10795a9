import { uws } from "roomcast/transports/uws";
import uWS, { type ListenOptions, type us_listen_socket } from "uWebSockets.js";
import { FAREWELL, type StartPageServer } from "./page-server.ts";

/**
 * Without it, a port that another server listens on would be shared with that one. The library exports the value, but
 * declares it as a member of an enum that it does not export.
 */
const { LIBUS_LISTEN_EXCLUSIVE_PORT } = uWS as unknown as typeof ListenOptions;

/** On uWebSockets.js, the hub is attached to an app that has routes of its own. */
export const startOnUws: StartPageServer = async ({ assets, createHub }, port) => {
  const app = uWS.App();
  for (const [path, { body, headers }] of assets) {
    app.get(path, (response) => {
      for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
      response.end(body);
    });
  }
  app.any("/*", (response) => {
    response.writeStatus("404 Not Found").end("Not found\n");
  });
  const hub = createHub(uws({ app }));

  const listenSocket = await new Promise<us_listen_socket | false>((resolve) => {
    app.listen(port, LIBUS_LISTEN_EXCLUSIVE_PORT, resolve);
  });
  if (listenSocket === false) {
    await hub.close();
    app.close();
    // The library does not say why. The code is that of the usual reason, as `ws` would report it.
    throw Object.assign(new Error(`Cannot listen on port ${port}`), { code: "EADDRINUSE" });
  }

  return {
    port: uWS.us_socket_local_port(listenSocket),
    async drain() {
      // The app goes on meanwhile, so that whoever comes hears when to try again.
      await hub.drain(FAREWELL);
      uWS.us_listen_socket_close(listenSocket);
      app.close();
    },
  };
};

import { Server as HttpServer } from "node:http";
import type { Http2SecureServer, Http2Server } from "node:http2";
import { Server as HttpsServer } from "node:https";
import { Server as TlsServer } from "node:tls";
import { HubError } from "../../errors.ts";

/**
 * A server of the application: of `node:http`, `node:https`, or `http2.createSecureServer({ allowHTTP1: true })`. The
 * type has the other servers of `node:http2` too, because `serve()` of Hono and Vite declare that they may return one;
 * they have no WebSockets and are refused.
 */
export type ApplicationServer = HttpServer | HttpsServer | Http2SecureServer | Http2Server;

/**
 * Checks that a value is a server on which upgrade requests can come.
 *
 * @throws {HubError} `ERR_HUB_OPTION`.
 */
export function checkServer(server: unknown): void {
  if (server instanceof HttpServer || server instanceof HttpsServer) return;
  if (server === undefined || server === null) {
    throw new HubError(
      "ERR_HUB_OPTION",
      `The option "server" of ws() is ${server}. Create the server first, or leave the option out for a hub that has ` +
        "a server of its own. In Vite's middleware mode the server is yours.",
    );
  }
  if (!isHttp2(server)) throw new HubError("ERR_HUB_OPTION", NO_SERVER);
  if (!(server instanceof TlsServer) || !speaksHttp1(server)) throw new HubError("ERR_HUB_OPTION", HTTP2_ONLY);
}

const NO_SERVER =
  'The option "server" of ws() must be a server of node:http, node:https or node:http2. With Express or Koa, write ' +
  "const server = http.createServer(app), ws({ server }) and server.listen(8080); with Fastify, " +
  "ws({ server: app.server }); with Hono, ws({ server: serve(app) }).";

const HTTP2_ONLY =
  'The option "server" of ws() speaks HTTP/2 alone, in which ws has no WebSockets. Write ' +
  "http2.createSecureServer({ allowHTTP1: true, cert, key }).";

/** The classes of these servers are not exported. */
function isHttp2(server: unknown): boolean {
  return typeof (server as Partial<Http2Server>).updateSettings === "function";
}

/** Node.js keeps the protocols that a TLS server offers here, in the form of the wire. */
function speaksHttp1(server: TlsServer & { readonly ALPNProtocols?: Uint8Array }): boolean {
  return Buffer.from(server.ALPNProtocols ?? "").includes("http/1.1");
}

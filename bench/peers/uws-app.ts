import { createRequire } from "node:module";
import type * as uWS from "uWebSockets.js";
import type { HttpResponse, TemplatedApp } from "uWebSockets.js";
import type { Application } from "./peer.ts";

export type Library = typeof uWS;

/** @throws where it is absent or not built for this Node.js and this system. */
export function loadLibrary(): Library {
  try {
    return createRequire(import.meta.url)("uWebSockets.js") as Library;
  } catch (cause) {
    // Where it is there but does not load, the library lists the versions it supports before it says what happened.
    const lines = (cause as Error).message.split("\n");
    const reason = lines.find((line) => line.startsWith("Error: ")) ?? lines[0] ?? "";
    throw new Error(`uWebSockets.js cannot be loaded by Node.js ${process.versions.node}: ${reason}`, { cause });
  }
}

/** The HTTP half of a peer on uWebSockets.js. */
export function serveHttp(app: TemplatedApp, application: Application): void {
  app.post("/publish", (response) => {
    // Whoever takes a body has to have one. There is nothing to do: no more data comes then.
    response.onAborted(() => {});
    const chunks: Buffer[] = [];
    response.onData((chunk, isLast) => {
      // The memory is the library's again when this returns.
      chunks.push(Buffer.from(chunk.slice(0)));
      if (!isLast) return;
      JSON.parse(Buffer.concat(chunks).toString());
      application.posted();
      noContent(response);
    });
  });
  app.any("/*", (response) => void response.end("ok"));
}

export async function listen(library: Library, app: TemplatedApp): Promise<number> {
  return new Promise((resolve, reject) => {
    app.listen("127.0.0.1", 0, (socket) => {
      if (socket === false) reject(new Error("uWebSockets.js cannot listen on 127.0.0.1."));
      else resolve(library.us_socket_local_port(socket));
    });
  });
}

function noContent(response: HttpResponse): void {
  response.cork(() => void response.writeStatus("204 No Content").endWithoutBody());
}

import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { Server as TlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { pathTaken } from "../shared/path-taken.ts";
import { refuseUpgrade } from "./refusal.ts";

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const routers = new WeakMap<Server | TlsServer, UpgradeRouter>();

/**
 * Hands the upgrade requests of one server to the hubs attached to it, by path.
 *
 * All hubs share one listener, because only all of them together can tell that a request is for none. Such a request is
 * left to the application if it listens for upgrades as well; otherwise nobody would ever answer, so the client gets
 * 404.
 */
export class UpgradeRouter {
  readonly #server: Server | TlsServer;
  /** The listeners by path. The one of `undefined` takes every path that no other takes. */
  readonly #routes = new Map<string | undefined, UpgradeListener>();

  /** Returns the router of a server, which is always the same. */
  static of(server: Server | TlsServer): UpgradeRouter {
    const router = routers.get(server) ?? new UpgradeRouter(server);
    routers.set(server, router);
    return router;
  }

  private constructor(server: Server | TlsServer) {
    this.#server = server;
  }

  /**
   * Routes a path to a listener.
   *
   * @param path - the path, or `undefined` for any.
   * @throws {HubError} `ERR_HUB_PATH_TAKEN`.
   */
  add(path: string | undefined, listener: UpgradeListener): void {
    if (this.#routes.has(path)) throw pathTaken(path);
    if (this.#routes.size === 0) this.#server.on("upgrade", this.#upgrade);
    this.#routes.set(path, listener);
  }

  /** Takes the listener of a path away. */
  remove(path: string | undefined): void {
    this.#routes.delete(path);
    if (this.#routes.size === 0) this.#server.off("upgrade", this.#upgrade);
  }

  readonly #upgrade: UpgradeListener = (request, socket, head) => {
    const [path] = (request.url ?? "/").split("?", 1);
    const listener = this.#routes.get(path) ?? this.#routes.get(undefined);
    if (listener !== undefined) listener(request, socket, head);
    else if (this.#server.listenerCount("upgrade") === 1) refuseUpgrade(socket, 404, "Not Found");
  };
}

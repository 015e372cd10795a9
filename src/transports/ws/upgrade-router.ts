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
 * One listener for all hubs, because only together can they tell that none of them is meant. Then, if the application
 * listens for upgrades as well, the request is left to it; if not, nobody would ever answer, so it gets 404.
 */
export class UpgradeRouter {
  readonly #server: Server | TlsServer;
  /** `undefined` is the hub that takes any path which no other takes. */
  readonly #routes = new Map<string | undefined, UpgradeListener>();

  /** The router of this server: always the same one. */
  static of(server: Server | TlsServer): UpgradeRouter {
    const router = routers.get(server) ?? new UpgradeRouter(server);
    routers.set(server, router);
    return router;
  }

  private constructor(server: Server | TlsServer) {
    this.#server = server;
  }

  /** @throws {HubError} `ERR_HUB_PATH_TAKEN`. */
  add(path: string | undefined, listener: UpgradeListener): void {
    if (this.#routes.has(path)) throw pathTaken(path);
    if (this.#routes.size === 0) this.#server.on("upgrade", this.#upgrade);
    this.#routes.set(path, listener);
  }

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

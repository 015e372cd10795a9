import type { Buffer } from "node:buffer";
import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { HubError } from "../../errors.ts";
import { asksForWebSocket } from "../shared/handshake.ts";
import { pathTaken } from "../shared/path-taken.ts";
import { refuseUpgrade } from "./refusal.ts";
import { returnRequest } from "./returned-request.ts";

/** A hub that takes the upgrade requests of a path. */
export interface Route {
  /**
   * Takes a request.
   *
   * @param isShared - whether listeners of the application's get the same request.
   */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, isShared: boolean): void;

  /** Tells that the hub gets no more requests. */
  failed(error: HubError): void;
}

/** A server that asks before each upgrade whether it is wanted, as those of Node.js 24 and later do. */
type AskingServer = EventEmitter & { shouldUpgradeCallback?: (request: IncomingMessage) => boolean };

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const routers = new WeakMap<EventEmitter, UpgradeRouter>();

/**
 * Hands the upgrade requests of one server to the hubs attached to it, by path.
 *
 * All hubs share one listener, because only all of them together can tell that a request is for none. Every listener for
 * `upgrade` gets every request, and two that answer the same one break the connection. So what may be for a listener of
 * the application's is left to it. Where there is none, nobody else would ever answer: a WebSocket client gets 404, and
 * a request for anything else than a WebSocket goes back to the server as an ordinary one.
 */
export class UpgradeRouter {
  readonly #server: AskingServer;
  /** The function that the server had before for its question whether an upgrade is wanted. */
  #wanted: AskingServer["shouldUpgradeCallback"];
  /** The routes by path. The one of `undefined` takes every path that no other takes. */
  readonly #routes = new Map<string | undefined, Route>();

  /** Returns the router of a server, which is always the same. */
  static of(server: EventEmitter): UpgradeRouter {
    const router = routers.get(server) ?? new UpgradeRouter(server);
    routers.set(server, router);
    return router;
  }

  private constructor(server: EventEmitter) {
    this.#server = server;
  }

  /**
   * Adds a route.
   *
   * @param path - the path, or `undefined` for any.
   * @throws {HubError} `ERR_HUB_PATH_TAKEN`.
   */
  add(path: string | undefined, route: Route): void {
    if (this.#routes.has(path)) throw pathTaken(path);
    if (path === undefined && this.#others > 0) throw contested();
    if (this.#routes.size === 0) {
      // First, so that what another listener does to the socket is seen.
      this.#server.prependListener("upgrade", this.#upgrade).on("newListener", this.#newListener);
      this.#wanted = this.#server.shouldUpgradeCallback;
      if (this.#wanted !== undefined) this.#server.shouldUpgradeCallback = this.#isWanted;
    }
    this.#routes.set(path, route);
  }

  /** Removes the route of a path. */
  remove(path: string | undefined): void {
    if (!this.#routes.delete(path) || this.#routes.size > 0) return;
    this.#server.off("upgrade", this.#upgrade).off("newListener", this.#newListener);
    if (this.#server.shouldUpgradeCallback === this.#isWanted && this.#wanted !== undefined) {
      this.#server.shouldUpgradeCallback = this.#wanted;
    }
  }

  /** Number of listeners that are not this router's. */
  get #others(): number {
    return this.#server.listeners("upgrade").filter((listener) => listener !== this.#upgrade).length;
  }

  /** Leaves a request that asks for no WebSocket to the application, where Node.js itself can do that. */
  readonly #isWanted = (request: IncomingMessage): boolean => {
    const isOurs = this.#others > 0 || asksForWebSocket(request.method, request.headers);
    return isOurs && this.#wanted?.call(this.#server, request) === true;
  };

  readonly #upgrade: UpgradeListener = (request, socket, head) => {
    const isShared = this.#others > 0;
    if (!asksForWebSocket(request.method, request.headers)) {
      // Node.js before 24.9 does not ask.
      if (!isShared) returnRequest(this.#server, request, socket, head);
      return;
    }
    const [path] = (request.url ?? "/").split("?", 1);
    const route = this.#routes.get(path) ?? (isShared ? undefined : this.#routes.get(undefined));
    if (route !== undefined) route.take(request, socket, head, isShared);
    else if (!isShared) refuseUpgrade(socket, 404, "Not Found");
  };

  readonly #newListener = (event: string | symbol): void => {
    // This router's own listener is there before this one is.
    if (event === "upgrade" && this.#others === 0) this.#routes.get(undefined)?.failed(contested());
  };
}

function contested(): HubError {
  return new HubError(
    "ERR_HUB_PATH_TAKEN",
    "The server of this hub has another listener for upgrades, so nobody can tell whose they are: the hub takes none. " +
      'Give the hub a path of its own with the option "path", such as { path: "/chat" }.',
  );
}

import { setImmediate as turn } from "node:timers/promises";
import { Hub, ReplyError, type HubOptions, type Socket, type TransportName } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { authenticate } from "./authentication.ts";
import type { HubFigures, HubName } from "./messages.ts";
import { Tally } from "./tally.ts";

const NO_LIMIT = { perSecond: 1e9, burst: 1_000_000_000 };

/** What the hubs have in common: small sizes and short times, so that their ends are met. */
const COMMON: HubOptions = {
  codecs: [msgpackCodec],
  maxMessageBytes: 64 * 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  // Far above what is connected at a time, and has ended within some seconds: who is refused for it was let down by the
  // count of those who have left.
  maxConnections: 10_000,
  handshakeTimeout: 1_000,
  // Those who do no harm share a process with those who do, and answer late on a busy machine.
  heartbeat: { interval: 4_000, timeout: 4_000 },
  idempotency: { within: 1_000, maxBytes: 256 * 1024 },
  joinable,
};

const OPTIONS: Readonly<Record<HubName, HubOptions>> = {
  usual: {},
  lenient: {
    limits: { messages: NO_LIMIT, bytes: NO_LIMIT, violations: NO_LIMIT, rooms: 8, pendingRequests: 16 },
  },
  compressing: {
    compression: true,
    overload: "drop",
    limits: { messages: { perSecond: 1_000, burst: 400 }, bytes: NO_LIMIT, violations: NO_LIMIT },
  },
};

/** How often the well-behaved clients are told something, in milliseconds. */
const TICK_INTERVAL = 20;

/** A hub with an application that does a little of everything. */
export class Application {
  readonly #hub: Hub;
  readonly #refusals = new Tally();
  readonly #errors = new Tally();
  readonly #disconnections = new Tally();
  readonly #ticking: NodeJS.Timeout;
  #ticks = 0;

  constructor(name: HubName, transport: TransportName) {
    const hub = new Hub({ ...COMMON, ...OPTIONS[name], transport, authenticate });
    this.#hub = hub;
    hub.on("connection", (socket) => socket.join("everybody"));
    hub.on("disconnection", (_socket, { code }) => this.#disconnections.add(String(code)));
    hub.on("refusal", ({ reason }) => this.#refusals.add(reason));
    hub.on("error", (_error, { source }) => this.#errors.add(source));
    // The others show what becomes of a message for which there is no listener.
    if (name === "lenient") hub.on("message", (socket, message) => socket.send(message.slice(0, 16)));
    hub.use(({ event }, next) => {
      if (event === "forbidden") throw new ReplyError("forbidden", "Not even middleware lets this through.");
      return event === "awaited" ? afterTurn(next) : next();
    });
    this.#handle();
    this.#ticking = setInterval(() => {
      this.#ticks += 1;
      hub.to("watchers").emit("tick", this.#ticks);
      if (this.#ticks % 10 === 0) hub.latest("news").emit("news", this.#ticks);
    }, TICK_INTERVAL);
  }

  async listen(): Promise<number> {
    return (await this.#hub.listen({ host: "127.0.0.1" })).port;
  }

  /** Stops the ticks. Returns how many there were. */
  pause(): number {
    clearInterval(this.#ticking);
    return this.#ticks;
  }

  get figures(): HubFigures {
    return {
      sockets: this.#hub.sockets.size,
      statistics: this.#hub.stats(),
      refusals: this.#refusals.counts,
      errors: this.#errors.counts,
      disconnections: this.#disconnections.counts,
    };
  }

  #handle(): void {
    const hub = this.#hub;
    hub.handle("echo", (data) => data);
    hub.handle("awaited", (data) => data);
    hub.handle("later", async (data) => {
      await turn();
      return data;
    });
    hub.handle("throw", () => {
      throw new Error("A handler throws.");
    });
    hub.handle("reject", () => Promise.reject(new Error("A handler rejects.")));
    hub.handle("refuse", async () => {
      throw new ReplyError("refused", "A handler refuses.");
    });
    hub.handle("forbidden", () => {});
    hub.handle("watch", (_data, socket) => socket.join("watchers"));
    hub.handle("join", (room, socket) => socket.join(room as string));
    hub.handle("leave", (room, socket) => socket.leave(room as string));
    hub.handle("say", (room, socket) => socket.to(room as string).emit("said", room));
    hub.handle("latest", (key) => {
      hub
        .to("everybody")
        .latest(key as string)
        .emit("key", 1);
    });
    hub.handle("listen", listen);
    hub.handle("ask", (data, socket) => {
      void socket.request("question", data, { timeout: 20 }).catch(() => {});
    });
    hub.handle("kick", (_data, socket) => socket.close(4321, "Kicked"));
    hub.handle("terminate", (_data, socket) => socket.terminate());
  }
}

async function afterTurn(next: () => unknown): Promise<unknown> {
  await turn();
  return next();
}

/** A handler of the socket's own, for a name that the client chooses. */
function listen(name: unknown, socket: Socket): void {
  socket.on(`own ${String(name).slice(0, 16)}`, () => name);
}

function joinable(room: string): boolean | Promise<boolean> {
  if (room.includes("throw")) throw new Error("The guard throws.");
  if (room.includes("later")) return turn(true);
  return !room.includes("private");
}

import { createServer, type Server as HttpServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";
import { Hub, type TransportName } from "roomcast";
import { redis } from "roomcast/backplanes/redis";
import { OpenLoopSchedule } from "../open-loop-schedule.ts";
import { identify } from "../peers/identity.ts";
import { listen } from "../peers/http.ts";
import { now } from "../stamp.ts";
import type { Numbered } from "./client.ts";
import { CONTESTANTS, type ContestantName } from "./contestants.ts";
import type { ServerCommand, ServerReport } from "./messages.ts";

// A server of one contestant, in a process of its own.

/** One message in so many is not recorded by the contestant that is broken on purpose. */
const DROPPED = 10;

/** More events than a room is sent in ten minutes, at the usual rate. */
const SIZE = 2_000;

/** Longer than a client is ever away, in milliseconds. */
const AGE = 120_000;

/** How long the adapter of Socket.IO is given to subscribe, in milliseconds: it does not say when it has. */
const SETTLING = 1_000;

interface Server {
  readonly port: number;
  /**
   * Records a first message in each room. A position in a room that has no log yet means something to its own node only,
   * and a client that misses the first message of all is told of a gap on another one.
   */
  begin(rooms: readonly string[]): Promise<unknown>;
  publish(message: Numbered): void;
  /** Resolves when what other servers send arrives. */
  settled(): Promise<void>;
}

/** `engine` is the URL of the Redis server between this server and others; an empty text if it is alone. */
const [, , name = "", transport = "", engine = ""] = process.argv;
const contestant = CONTESTANTS[name as ContestantName];
const server = contestant.client === "socket.io" ? await startSocketIo() : await startHub();

process.on("message", (command: ServerCommand) => void obey(command));
tell({ told: "listening", port: server.port });

async function obey(command: ServerCommand): Promise<void> {
  switch (command.do) {
    case "begin":
      await server.begin(command.rooms);
      tell({ told: "begun" });
      break;
    case "settle":
      await server.settled();
      tell({ told: "settled" });
      break;
    case "send":
      tell({ told: "sent", sent: await send(command) });
      break;
  }
}

async function startHub(): Promise<Server> {
  const hub = new Hub<{ server: { m: Numbered } }>({
    transport: transport as TransportName,
    joinable: () => true,
    ...(engine !== "" && { backplane: redis({ url: engine }) }),
    ...(contestant.records && { history: { rooms: { "r*": { size: SIZE, age: AGE } } } }),
  });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  let count = 0;
  return {
    port,
    begin: async (rooms) => {
      if (contestant.records) await Promise.all(rooms.map((room) => hub.to(room).record("m", { room, number: -1 })));
    },
    publish(message) {
      const target = hub.to(message.room);
      const isDropped = name === "drops" && ++count % DROPPED === 0;
      (isDropped ? target.volatile : target).emit("m", message);
    },
    settled: () => hub.synced(),
  };
}

async function startSocketIo(): Promise<Server> {
  const { Server: SocketIo } = await import("socket.io");
  const http: HttpServer = createServer();
  const io = new SocketIo(http, {
    transports: ["websocket"],
    serveClient: false,
    connectionStateRecovery: {},
    ...(engine !== "" && { adapter: await streamsAdapter(engine) }),
  });
  io.on("connection", (socket) => {
    if (socket.recovered) return;
    const { rooms } = identify(new URLSearchParams(socket.handshake.query as Record<string, string>));
    void socket.join([...rooms]);
  });
  return {
    port: await listen(http),
    begin: () => Promise.resolve(),
    publish: (message) => void io.to(message.room).emit("m", message),
    settled: () => sleep(engine === "" ? 0 : SETTLING),
  };
}

/** The one of its adapters for Redis with which Socket.IO recovers. */
async function streamsAdapter(url: string): Promise<never> {
  const { createAdapter } = await import("@socket.io/redis-streams-adapter");
  const client = createClient({ url });
  await client.connect();
  return createAdapter(client) as never;
}

/** Returns the number of messages that went to each room. */
async function send(
  command: Extract<ServerCommand, { readonly do: "send" }>,
): Promise<Readonly<Record<string, number>>> {
  const { rooms, rate, seconds } = command;
  const sent: Record<string, number> = Object.fromEntries(rooms.map((room) => [room, 0]));
  const schedule = new OpenLoopSchedule(now(), rate * rooms.length, seconds, { spinning: false });
  for (let index = 0; index < schedule.length; index++) {
    for (let time = now(); schedule.intended(index) > time; time = now()) {
      await sleep(schedule.sleep(index, time));
    }
    const room = rooms[index % rooms.length] as string;
    const number = sent[room] as number;
    sent[room] = number + 1;
    server.publish({ room, number });
  }
  return sent;
}

function tell(report: ServerReport): void {
  process.send?.(report);
}

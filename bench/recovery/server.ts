import { createServer, type Server as HttpServer } from "node:http";
import { Hub, type TransportName } from "roomcast";
import { OpenLoopSchedule } from "../open-loop-schedule.ts";
import { identify } from "../peers/identity.ts";
import { listen } from "../peers/http.ts";
import { now } from "../stamp.ts";
import type { Numbered } from "./client.ts";
import { CONTESTANTS, type ContestantName } from "./contestants.ts";
import type { ServerCommand, ServerReport } from "./messages.ts";

// The server of one contestant, in a process of its own.

/** One message in so many is not recorded by the contestant that is broken on purpose. */
const DROPPED = 10;

/** More events than a room is sent in ten minutes, at the usual rate. */
const SIZE = 2_000;

/** Longer than a client is ever away, in milliseconds. */
const AGE = 120_000;

interface Server {
  readonly port: number;
  publish(message: Numbered): void;
}

const [, , name = "", transport = ""] = process.argv;
const contestant = CONTESTANTS[name as ContestantName];
const server = contestant.client === "socket.io" ? await startSocketIo() : await startHub();

process.on("message", (command: ServerCommand) => void send(command));
tell({ told: "listening", port: server.port });

async function startHub(): Promise<Server> {
  const hub = new Hub<{ server: { m: Numbered } }>({
    transport: transport as TransportName,
    joinable: () => true,
    ...(contestant.records && { history: { rooms: { "r*": { size: SIZE, age: AGE } } } }),
  });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  let count = 0;
  return {
    port,
    publish(message) {
      const target = hub.to(message.room);
      const isDropped = name === "drops" && ++count % DROPPED === 0;
      (isDropped ? target.volatile : target).emit("m", message);
    },
  };
}

async function startSocketIo(): Promise<Server> {
  const { Server: SocketIo } = await import("socket.io");
  const http: HttpServer = createServer();
  const io = new SocketIo(http, { transports: ["websocket"], serveClient: false, connectionStateRecovery: {} });
  io.on("connection", (socket) => {
    if (socket.recovered) return;
    const { rooms } = identify(new URLSearchParams(socket.handshake.query as Record<string, string>));
    void socket.join([...rooms]);
  });
  return { port: await listen(http), publish: (message) => void io.to(message.room).emit("m", message) };
}

async function send({ rooms, rate, seconds }: ServerCommand): Promise<void> {
  const sent: Record<string, number> = Object.fromEntries(rooms.map((room) => [room, 0]));
  const schedule = new OpenLoopSchedule(now(), rate * rooms.length, seconds, { spinning: false });
  for (let index = 0; index < schedule.length; index++) {
    for (let time = now(); schedule.intended(index) > time; time = now()) {
      const delay = schedule.sleep(index, time);
      await new Promise((resolve) => {
        setTimeout(resolve, delay);
      });
    }
    const room = rooms[index % rooms.length] as string;
    const number = sent[room] as number;
    sent[room] = number + 1;
    server.publish({ room, number });
  }
  tell({ told: "sent", sent });
}

function tell(report: ServerReport): void {
  process.send?.(report);
}

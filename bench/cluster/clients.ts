import { WebSocket, type RawData } from "ws";
import { median } from "../statistics/median.ts";
import { nodesOf, roomName, stampOf } from "./cases.ts";
import type { ClientsCommand, ClientsReport } from "./messages.ts";

// All clients of the cluster, in a process of their own. They check every message.

/** How often it is told what has come, in milliseconds. */
const INTERVAL = 5;

const received: number[] = [];
let near: number[] = [];
let far: number[] = [];
let faults = 0;

process.on("message", (command: ClientsCommand) => void obey(command));
setInterval(() => {
  tell({ told: "progress", received: [...received], faults });
}, INTERVAL);

async function obey(command: ClientsCommand): Promise<void> {
  if (command.do === "forget") {
    near = [];
    far = [];
    tell({ told: "forgotten" });
    return;
  }
  if (command.do === "latency") {
    tell({ told: "latency", near: median(near), far: median(far) });
    return;
  }
  const { ports, each, dialect } = command;
  for (const [node] of ports.entries()) received[node] = 0;
  const opened: Promise<void>[] = [];
  for (let room = 0; room < each.rooms; room++) {
    for (const node of nodesOf(each, room, ports.length)) {
      for (let member = 0; member < each.members; member++) {
        opened.push(open(ports[node] ?? 0, node, room, dialect));
      }
    }
  }
  await Promise.all(opened);
  tell({ told: "connected" });
}

function open(port: number, node: number, room: number, dialect: string): Promise<void> {
  const isEngineIo = dialect === "engine.io";
  const path = isEngineIo ? "/socket.io/?EIO=4&transport=websocket&" : "/?";
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}room=${roomName(room)}`, { perMessageDeflate: false });
  const next: number[] = [];
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    if (!isEngineIo) socket.once("open", () => resolve());
    socket.on("message", (data: RawData) => {
      const text = (data as Buffer).toString("latin1");
      if (!isEngineIo) take(text, node, room, next);
      else if (text.startsWith("42")) take((JSON.parse(text.slice(2)) as [string, string])[1], node, room, next);
      else if (text.startsWith("40")) resolve();
      else if (text.startsWith("0")) socket.send("40");
      else if (text === "2") socket.send("3");
    });
  });
}

function take(body: string, node: number, ownRoom: number, next: number[]): void {
  const { publisher, room, number, sent } = stampOf(body);
  if (room !== ownRoom || number !== (next[publisher] ?? 0)) faults++;
  next[publisher] = number + 1;
  received[publisher] = (received[publisher] ?? 0) + 1;
  (publisher === node ? near : far).push(Number(process.hrtime.bigint() - sent) / 1000);
}

function tell(report: ClientsReport): void {
  process.send?.(report);
}

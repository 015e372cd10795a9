import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { FLOODS, type Flood } from "./floods.js";
import type { Flooded, FlooderCommand } from "./messages.js";

type Task = Exclude<FlooderCommand, "leave">;

/** How long a client that was not let in waits until it comes again, in milliseconds. */
const PAUSE = 20;

/** How the reason begins for which clients are closed with 4005. */
const REASON = "Too much";

/** A connection, until the server or the client ends it. */
class Attack {
  readonly tcp: Socket;
  status: string | undefined;
  isOver = false;
  /** Whether something came after the answer to the handshake. */
  isAnswered = false;
  /** What had been written when the close frame came. */
  #writtenAtClose: number | undefined;
  #read: Buffer = Buffer.alloc(0);

  constructor({ port, address }: Task, { isDeaf, isStubborn }: Flood) {
    this.tcp = createConnection({
      port,
      host: "127.0.0.1",
      localAddress: address,
      noDelay: true,
      allowHalfOpen: isStubborn === true,
    });
    this.tcp.on("error", () => {});
    this.tcp.on("close", () => {
      this.isOver = true;
    });
    this.tcp.on("data", (chunk) => this.#hear(chunk, isDeaf === true));
  }

  /** The bytes that the system took since the close frame. */
  get lateBytes(): number {
    if (this.#writtenAtClose === undefined) return 0;
    return this.tcp.bytesWritten - this.tcp.writableLength - this.#writtenAtClose;
  }

  async until(isSo: () => boolean, end: number): Promise<void> {
    while (!isSo() && !this.isOver && performance.now() < end) await delay(1);
  }

  #hear(chunk: Buffer, isDeaf: boolean): void {
    if (this.status !== undefined) {
      this.isAnswered = true;
      if (chunk.includes(REASON)) this.#writtenAtClose ??= this.tcp.bytesWritten - this.tcp.writableLength;
      return;
    }
    this.#read = Buffer.concat([this.#read, chunk]);
    this.status = /^HTTP\/1\.1 (\d{3}) /.exec(this.#read.toString("latin1"))?.[1];
    if (isDeaf) this.tcp.pause();
  }
}

const staying: Attack[] = [];

async function attackAll(task: Task): Promise<Flooded> {
  const found = FLOODS.find(({ name }) => name === task.flood);
  if (found === undefined) throw new Error(`There is no flood "${task.flood}".`);
  const seen = { connections: 0, sentBytes: 0, statuses: {} as Record<string, number>, lateBytes: 0 };
  const end = performance.now() + task.time;
  await Promise.all(Array.from({ length: found.clients ?? 1 }, () => client(found, task, end, seen)));
  return seen;
}

/** One client: it comes, floods, is closed or leaves, and comes again. */
async function client(
  flood: Flood,
  task: Task,
  end: number,
  seen: { connections: number; sentBytes: number; readonly statuses: Record<string, number>; lateBytes: number },
): Promise<void> {
  const { first = [], leavesAfter = Infinity, lines = [], interval, isHasty, isPatient, isPlain, isSingle } = flood;
  const upgrade = isPlain === true ? [] : UPGRADE;
  const head = Buffer.from(["GET / HTTP/1.1", "Host: 127.0.0.1", ...upgrade, ...lines, "", ""].join("\r\n"));
  let index = 0;
  while (index < task.pieces && performance.now() < end) {
    const attack = new Attack(task, flood);
    const { tcp } = attack;
    seen.connections++;
    tcp.write(head);
    if (isHasty !== true) await attack.until(() => attack.status !== undefined, end);
    if (attack.status === "101") for (const piece of first) tcp.write(piece);
    if (isPatient === true) await attack.until(() => attack.isAnswered, end);
    const last = Math.min(task.pieces, index + leavesAfter);
    if (isHasty !== true && isPlain !== true && attack.status !== "101") tcp.destroy();
    for (; index < last && !tcp.destroyed && performance.now() < end; index++) {
      const mayGoOn = tcp.write(flood.piece(index));
      if (interval !== undefined) await delay(interval);
      else if (isSingle === true) await turn();
      else if (!mayGoOn) await attack.until(() => !tcp.writableNeedDrain, end);
      // What the server says is read meanwhile.
      else if (index % 64 === 0) await turn();
    }
    // What was written is sent, and a client that floods lets the server have its say.
    await attack.until(() => tcp.writableLength === 0, end);
    seen.sentBytes += tcp.bytesWritten - tcp.writableLength;
    const status = attack.status ?? "none";
    seen.statuses[status] = (seen.statuses[status] ?? 0) + 1;
    if (index >= task.pieces || performance.now() >= end) await attack.until(() => false, performance.now() + PAUSE);
    seen.lateBytes = Math.max(seen.lateBytes, attack.lateBytes);
    if (index < task.pieces) tcp.destroy();
    else staying.push(attack);
    if (attack.status !== "101" && isPlain !== true) await delay(PAUSE);
    if (tcp.connecting) await once(tcp, "close");
  }
}

const UPGRADE: readonly string[] = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

process.on("message", (command: FlooderCommand) => {
  if (command === "leave") {
    for (const { tcp } of staying.splice(0)) tcp.destroy();
    process.send?.("left");
  } else void attackAll(command).then((seen) => process.send?.(seen));
});
// The test is gone.
process.on("disconnect", () => process.exit());
process.send?.("ready");

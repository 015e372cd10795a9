import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { startEngine, type Engine } from "./engine.ts";

// Redis, two nodes, and a client on each: what one says, the other hears. The nodes stay until Ctrl+C.
try {
  await run(await startEngine());
} catch (error) {
  console.error(`The cluster cannot start: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function run(engine: Engine): Promise<void> {
  const nodes = ["one", "two"].map((name) => startNode(name, engine));
  try {
    const ports = await Promise.all(nodes.map((node) => portOf(node)));
    await show(ports);
    const interrupted = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
    const addresses = ports.map((port) => `ws://localhost:${port}`);
    console.log(`More clients may come to ${addresses.join(" and ")}. Ctrl+C ends it.`);
    await interrupted;
  } finally {
    await Promise.all(nodes.map((node) => stopNode(node)));
    await engine.stop();
  }
}

function startNode(name: string, { url }: Engine): ChildProcess {
  return fork(fileURLToPath(new URL("node.js", import.meta.url)), [name, url]);
}

async function portOf(node: ChildProcess): Promise<number> {
  const ended = once(node, "exit").then((): never => {
    throw new Error("A node has ended.");
  });
  const [port] = (await Promise.race([once(node, "message"), ended])) as [number];
  return port;
}

/** Ctrl+C reaches the nodes, too, and may have ended one already. */
async function stopNode(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = once(node, "exit");
  if (node.connected) node.disconnect();
  await ended;
}

/** A client of the one node says something, and one of the other hears it. */
async function show([one = 0, two = 0]: readonly number[]): Promise<void> {
  const [speaker, listener] = await Promise.all([open(one), open(two)]);
  const heard = new Promise<void>((resolve) => {
    listener.on("message", (data: Buffer) => {
      const { event, data: said } = JSON.parse(data.toString()) as { readonly event: string; readonly data: unknown };
      if (event !== "chat") return;
      console.log(`On port ${two} a client heard:`, said);
      resolve();
    });
  });
  console.log(`On port ${one} a client says: Hello`);
  speaker.send(JSON.stringify({ event: "chat", data: "Hello" }));
  await heard;
  speaker.close();
  listener.close();
}

/** Resolves when the client is in the room: the server says so with its first message. */
async function open(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://localhost:${port}`);
  await once(socket, "message");
  return socket;
}

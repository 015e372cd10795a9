import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";

/** A Redis server of the example's own. */
export interface Engine {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts Redis on a free port of 127.0.0.1, without a file.
 *
 * @throws {Error} saying what to do if it is not installed.
 */
export async function startEngine(): Promise<Engine> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", tmpdir()];
  const child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
  });
  try {
    await once(child, "spawn");
  } catch (cause) {
    throw new Error("Redis is not installed. Install it: npm run setup", { cause });
  }
  // The nodes try again until it listens.
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      child.kill();
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

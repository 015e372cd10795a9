import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../support/free-port.ts";
import { EngineProcess } from "./process.ts";

/** A NATS server on a free port. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string;
  #process: EngineProcess | undefined;

  /** @param configuration - the text of its configuration file. */
  static async start(configuration = ""): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), await mkdtemp(join(tmpdir(), "nats-")));
    await server.configure(configuration);
    await server.restart();
    return server;
  }

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get process(): EngineProcess {
    if (this.#process === undefined) throw new Error("The server is not running.");
    return this.#process;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  /** Changes its configuration, from the next start on. */
  async configure(configuration: string): Promise<void> {
    await writeFile(this.#file, configuration);
  }

  /** Starts it again, on the same port. */
  async restart(): Promise<void> {
    const args = ["-a", "127.0.0.1", "-p", `${this.port}`, "-c", this.#file];
    this.#process = await EngineProcess.start("nats-server", args, this.port);
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, "nats.conf");
  }
}

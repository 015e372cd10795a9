import { freePort } from "../../support/free-port.ts";
import { EngineProcess } from "./process.ts";

/** A NATS server on a free port. */
export class NatsServer {
  readonly port: number;
  #process: EngineProcess | undefined;

  static async start(): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.restart();
    return server;
  }

  private constructor(port: number) {
    this.port = port;
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

  /** Starts it again, on the same port. */
  async restart(): Promise<void> {
    this.#process = await EngineProcess.start("nats-server", ["-a", "127.0.0.1", "-p", `${this.port}`], this.port);
  }
}

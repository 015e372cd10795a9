import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../support/free-port.ts";
import { EngineProcess } from "./process.ts";

/** A NATS server on a free port. */
export class NatsServer {
  readonly port: number;
  readonly #folder: string;
  readonly #hasJetStream: boolean;
  #process: EngineProcess | undefined;

  /**
   * @param configuration - the text of its configuration file.
   * @param hasJetStream - whether it has JetStream, which keeps its files when the server ends.
   */
  static async start(configuration = "", hasJetStream = false): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), await mkdtemp(join(tmpdir(), "nats-")), hasJetStream);
    await server.configure(configuration);
    await server.restart();
    return server;
  }

  private constructor(port: number, folder: string, hasJetStream: boolean) {
    this.port = port;
    this.#folder = folder;
    this.#hasJetStream = hasJetStream;
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
    const jetStream = this.#hasJetStream ? ["-js", "-sd", this.#streams] : [];
    const args = ["-a", "127.0.0.1", "-p", `${this.port}`, "-c", this.#file, ...jetStream];
    this.#process = await EngineProcess.start("nats-server", args, this.port);
  }

  /** Keeps a copy of its streams as they are now. */
  async save(): Promise<void> {
    await cp(this.#streams, this.#copy, { recursive: true });
  }

  /** Ends it, takes its streams back to what was saved, as a loss of power may, and starts it again. */
  async goBack(): Promise<void> {
    await this.kill();
    await rm(this.#streams, { recursive: true });
    await cp(this.#copy, this.#streams, { recursive: true });
    await this.restart();
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, "nats.conf");
  }

  get #streams(): string {
    return join(this.#folder, "streams");
  }

  get #copy(): string {
    return join(this.#folder, "copy");
  }
}

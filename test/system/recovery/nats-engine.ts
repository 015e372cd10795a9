import { NatsServer } from "../engines/nats.ts";
import { Proxy } from "../network/proxy.ts";
import type { EngineAddress } from "./program.ts";
import type { Engine, Fault } from "./run.ts";

/** A server of NATS with JetStream. */
export class NatsEngine implements Engine {
  readonly #server: NatsServer;
  readonly #storage: "file" | "memory";
  readonly #proxies: readonly Proxy[];

  static async start(storage: "file" | "memory", programs: number): Promise<NatsEngine> {
    const server = await NatsServer.start("", true);
    const proxies = await Promise.all(Array.from({ length: programs }, () => Proxy.to(server.port)));
    return new NatsEngine(server, storage, proxies);
  }

  private constructor(server: NatsServer, storage: "file" | "memory", proxies: readonly Proxy[]) {
    this.#server = server;
    this.#storage = storage;
    this.#proxies = proxies;
  }

  addressFor(program: number): EngineAddress {
    const servers = `nats://127.0.0.1:${this.#proxies[program]?.port}`;
    return { kind: "nats", options: { servers, records: { storage: this.#storage } } };
  }

  proxiesOf(program: number): readonly Proxy[] {
    return this.#proxies.slice(program, program + 1);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }

  /** Kills the server, and starts it again after a pause. */
  async restart(pause: () => Promise<unknown>): Promise<void> {
    await this.#server.kill();
    await pause();
    await this.#server.restart();
  }

  /** The server is killed and started again. What it has in files is not lost. */
  get restarted(): Fault {
    return {
      name: "the server is killed and started again",
      causes: this.#storage === "file" ? ["unavailable"] : ["epoch", "unavailable"],
      happen: (run) => this.restart(() => run.wait(0, 300)),
    };
  }

  /** What was recorded last is lost, as with the power. */
  readonly wentBack: Fault = {
    name: "the server forgets the end of what it had in files",
    causes: ["epoch", "unavailable"],
    happen: async (run) => {
      await this.#server.save();
      await run.wait(200, 400);
      await this.#server.goBack();
    },
  };
}

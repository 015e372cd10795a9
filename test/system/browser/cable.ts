import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** Carries TCP connections to a port of this machine, until they are cut as a network does it: without a word. */
export class Cable {
  readonly #server: Server;
  readonly #ends = new Set<Socket>();

  static async to(port: number): Promise<Cable> {
    const cable = new Cable(port);
    await once(cable.#server, "listening");
    return cable;
  }

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#ends.add(from);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    }).listen(0, "127.0.0.1");
  }

  /** Where to connect instead. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on nothing passes over the connections there are; new ones work. */
  cut(): void {
    for (const end of this.#ends) end.unpipe().pause();
  }

  /** Ends the connections there are; new ones work. */
  sever(): void {
    for (const end of this.#ends) end.resetAndDestroy();
    this.#ends.clear();
  }

  async remove(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const end of this.#ends) end.destroy();
    await closed;
  }
}

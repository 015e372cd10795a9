import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Link, type Direction } from "./link.ts";

/** What becomes of new connections: forwarded, reset at once, or accepted and then left without a word. */
export type Welcome = "forward" | "refuse" | "hang";

/** A network between clients and a server on this machine, whose faults are the test's to choose. */
export class Proxy {
  /** The server's port; another one counts for new connections. */
  target: number;
  welcome: Welcome = "forward";
  readonly #server: Server;
  readonly #links = new Set<Link>();
  /** The clients' ends of connections that were left hanging. */
  readonly #hanging = new Set<Socket>();
  #delay = 0;
  #nextEnds: readonly [direction: Direction, bytes: number] | undefined;

  static async to(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await once(proxy.#server, "listening");
    return proxy;
  }

  private constructor(target: number) {
    this.target = target;
    // Ends half open, because the end of a stream passes through the stream like everything else.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
    this.#server.listen(0, "127.0.0.1");
  }

  /** Where clients connect to. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections there are that either end may still believe in. */
  get size(): number {
    return this.#links.size + this.#hanging.size;
  }

  /** Stops one direction or both of the connections that there are. Nothing is lost. */
  stall(direction?: Direction): void {
    for (const link of this.#links) link.stall(direction);
  }

  resume(direction?: Direction): void {
    for (const link of this.#links) link.resume(direction);
  }

  /** Holds everything for so many milliseconds, on new connections too. */
  delay(ms: number): void {
    this.#delay = ms;
    for (const link of this.#links) link.delay(ms);
  }

  /** Makes the connections that there are half-open for ever: see {@link Link.isolate}. */
  isolate(): void {
    for (const link of this.#links) link.isolate();
  }

  cut(): void {
    for (const link of this.#links) link.cut();
    this.#leave();
  }

  reset(): void {
    for (const link of this.#links) link.reset();
    this.#leave();
  }

  /** Ends the connections that there are for the client only: see {@link Link.detach}. */
  detach(): void {
    for (const link of this.#links) link.detach();
  }

  /** Cuts the connections that there are after so many more bytes. */
  cutAfter(direction: Direction, bytes: number): void {
    for (const link of this.#links) link.cutAfter(direction, bytes);
  }

  /** The same for the next connection, from its first byte. */
  cutNextAfter(direction: Direction, bytes: number): void {
    this.#nextEnds = [direction, bytes];
  }

  /** New connections work, and what was stalled goes on. What was isolated stays so: nobody repairs a lost connection. */
  heal(): void {
    this.welcome = "forward";
    this.#nextEnds = undefined;
    this.delay(0);
    this.resume();
    this.#leave();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.welcome = "refuse";
    for (const link of this.#links) link.destroy();
    this.#leave();
    const hanging = Array.from(this.#hanging, (near) => new Promise((resolve) => near.on("close", resolve)));
    await Promise.all([closed, ...hanging, ...Array.from(this.#links, ({ gone }) => gone)]);
  }

  #accept(near: Socket): void {
    // Not by closing the server's port: another process could take it meanwhile.
    if (this.welcome === "refuse") near.on("error", () => {}).resetAndDestroy();
    else if (this.welcome === "hang") this.#hang(near);
    else this.#forward(near);
  }

  #hang(near: Socket): void {
    this.#hanging.add(near);
    near.on("error", () => {}).on("close", () => this.#hanging.delete(near));
    // A client that gives up is let go.
    near.on("end", () => near.end()).resume();
  }

  #forward(near: Socket): void {
    const far = connect({
      port: this.target,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    const link = new Link(near, far);
    this.#links.add(link);
    void link.gone.then(() => this.#links.delete(link));
    link.delay(this.#delay);
    if (this.#nextEnds !== undefined) link.cutAfter(...this.#nextEnds);
    this.#nextEnds = undefined;
  }

  #leave(): void {
    for (const near of this.#hanging) near.destroy();
  }
}

import { setImmediate as turn } from "node:timers/promises";
import type { Socket } from "roomcast";
import { received } from "./entry.ts";
import { TERMINATED } from "./model.ts";
import type { Act, Message, Step } from "./program.ts";
import { Server } from "./server.ts";
import type { Client, HubUnderTest } from "./hub-under-test.ts";

/** How long to wait for what has to come, in milliseconds: only a program that fails ever waits so long. */
const PATIENCE = 3_000;

const FENCE: Message = { kind: "request", size: 0 };
const FAREWELL: Act = { act: "broadcast", whom: {}, message: { kind: "event", size: 0 } };

/** One connection, as seen from both of its ends. */
interface Observed {
  readonly log: string[];
  /** With which codes the client was closed. */
  readonly clientCodes: number[];
  /** With which codes the hub has reported the end. */
  readonly hubCodes: number[];
  /** The numbers of the acts that the client asked for while it was open. */
  readonly asked: number[];
  /** Those that reached the server. */
  readonly handled: number[];
}

/** Runs one program: drives the clients, waits for what has to come, and compares. */
export class Driver {
  readonly #server: Server;
  readonly #subject: HubUnderTest;
  readonly #clients: Client[] = [];
  readonly #observed: Observed[] = [];
  readonly #acts: Act[] = [];
  #connected: (socket: Socket) => void = () => {};
  #changed: () => void = () => {};

  constructor(subject: HubUnderTest) {
    this.#subject = subject;
    this.#server = new Server(subject.hub, PATIENCE);
  }

  /** Resolves with whatever contradicts the model. */
  async run(steps: readonly Step[]): Promise<readonly string[]> {
    const { complaints } = this.#server;
    const stop = this.#listen();
    try {
      for (const step of steps) {
        // oxlint-disable-next-line no-await-in-loop -- a program is a sequence
        await this.#step(step);
        this.#server.compareViews();
      }
      await this.#settle();
      await this.#until("every end", () => this.#observed.every((seen, index) => !this.#ends(index) || isOver(seen)));
      this.#observed.forEach((seen, index) => this.#compare(seen, index));
    } catch (error) {
      complaints.push(String(error));
    }
    const found = [...new Set(complaints)];
    for (const client of this.#clients) client.terminate();
    await this.#until("the end of all", () => this.#observed.every(isOver));
    stop();
    return found;
  }

  #listen(): () => void {
    const { hub } = this.#subject;
    const connection = (socket: Socket): void => this.#connected(socket);
    const disconnection = (socket: Socket, { code }: { readonly code: number }): void => this.#left(socket, code);
    const message = (socket: Socket, data: string | Uint8Array): void => {
      this.#handle(socket, Number(Buffer.from(data).toString()));
    };
    const failed = (error: unknown): void => void this.#server.complaints.push(`an error event: ${String(error)}`);
    hub.on("connection", connection).on("disconnection", disconnection).on("message", message).on("error", failed);
    const stops = [
      hub.handle("do", (number: number, socket) => this.#handle(socket, number)),
      hub.handle("answer", (number: number, socket) => {
        this.#handle(socket, number);
        const index = this.#server.sockets.indexOf(socket);
        this.#server.model.send(index, `reply ${number}`, FENCE);
        return number;
      }),
    ];
    return () => {
      hub.off("connection", connection).off("disconnection", disconnection).off("message", message);
      hub.off("error", failed);
      for (const remove of stops) remove();
    };
  }

  async #step(step: Step): Promise<void> {
    if (step.act === "connect") return this.#connect(step.acts);
    if (step.act === "settle") return this.#settle();
    if (step.act === "turn") return turn();
    if (step.act === "ask") return this.#ask(this.#server.indexOf(step.socket), step.as, step.to);
    if (step.act !== "clientClose" && step.act !== "clientVanish") return this.#server.act(step);
    const index = this.#server.indexOf(step.socket);
    const vanish = step.act === "clientVanish";
    this.#server.model.clientEnds(index, vanish ? TERMINATED : step.code);
    if (vanish) this.#clients[index]?.terminate();
    else this.#clients[index]?.close(step.code);
  }

  async #connect(acts: readonly Act[]): Promise<void> {
    const { model, sockets } = this.#server;
    const seen: Observed = { log: [], clientCodes: [], hubCodes: [], asked: [], handled: [] };
    const index = this.#observed.push(seen) - 1;
    this.#connected = (socket) => {
      sockets.push(socket);
      model.connect();
      model.send(index, "welcome", FENCE);
      for (const act of acts) this.#server.act(act);
    };
    const client = this.#subject.connect({
      message: (data) => {
        const { entry, answer } = received(data);
        seen.log.push(entry);
        if (answer !== undefined) client.send(JSON.stringify(answer));
        this.#changed();
      },
      close: (code) => {
        seen.clientCodes.push(code);
        this.#changed();
      },
    });
    this.#clients.push(client);
    await this.#until(`the welcome of socket ${index}`, () => seen.log.length + seen.clientCodes.length > 0);
  }

  /** A client asks the server for an act, which happens when and where that arrives. */
  #ask(index: number, as: "event" | "request" | "bytes", act: Act): void {
    const number = this.#acts.push(act) - 1;
    if (this.#server.model.sockets[index]?.clientCodes.length === 0) this.#observed[index]?.asked.push(number);
    if (as === "bytes") this.#clients[index]?.send(Buffer.from(String(number)));
    else if (as === "event") this.#clients[index]?.send(JSON.stringify({ event: "do", data: number }));
    else this.#clients[index]?.send(JSON.stringify({ event: "answer", id: number, data: number }));
  }

  #handle(socket: Socket, number: number): void {
    const index = this.#server.sockets.indexOf(socket);
    this.#observed[index]?.handled.push(number);
    if (!this.#server.model.open.includes(index)) this.#server.complaints.push(`socket ${index} spoke after its end`);
    this.#server.act(this.#acts[number] as Act);
  }

  #left(socket: Socket, code: number): void {
    const { model, sockets, complaints } = this.#server;
    const index = sockets.indexOf(socket);
    this.#observed[index]?.hubCodes.push(code);
    if (!model.ended(index, code)) complaints.push(`the hub reported the end of socket ${index} as ${code}`);
    const rooms = [...(model.sockets[index]?.rooms ?? [])];
    this.#server.expect(
      `rooms at the end of socket ${index}`,
      [...socket.rooms].toSorted().join(),
      rooms.toSorted().join(),
    );
    this.#server.act(FAREWELL);
    this.#changed();
  }

  /** After the first round everything from the clients has been handled, after the second what that led to has come. */
  async #settle(): Promise<void> {
    for (const _ of ["there", "and back"]) {
      this.#server.act({ act: "broadcast", whom: {}, message: FENCE });
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await this.#server.requestsSettled();
    }
    await turn();
  }

  #ends(index: number): boolean {
    return this.#server.model.sockets[index]?.codes.length !== 0;
  }

  #compare({ log, clientCodes, hubCodes, asked, handled }: Observed, index: number): void {
    const model = this.#server.model.sockets[index];
    if (model === undefined) throw new Error(`Socket ${index} never connected`);
    const [least, most] = model.bounds;
    const expected = model.log.slice(0, Math.min(Math.max(log.length, least), most));
    this.#server.expect(`the log of socket ${index}`, log.join(", "), expected.join(", "));

    const ends = this.#ends(index) ? 1 : 0;
    const rightCode = clientCodes.every((code) => model.codes.includes(code));
    if (clientCodes.length !== ends || hubCodes.length !== ends || !rightCode) {
      const ways = model.codes.join(" or ");
      this.#server.expect(`the ends of socket ${index}`, `client ${clientCodes.join()}, hub ${hubCodes.join()}`, ways);
    }

    // A client that closes has been heard out, unless the server had closed before.
    const all = ends === 0 || (model.serverCode === undefined && !hubCodes.includes(TERMINATED));
    const heard = asked.slice(0, all ? asked.length : handled.length);
    this.#server.expect(`what was handled of socket ${index}`, handled.join(), heard.join());
  }

  /** Waits for the events of clients and sockets to make the condition true. */
  async #until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}`)), PATIENCE);
      this.#changed = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#changed = () => {};
        resolve();
      };
    });
  }
}

function isOver({ clientCodes, hubCodes }: Observed): boolean {
  return clientCodes.length > 0 && hubCodes.length > 0;
}

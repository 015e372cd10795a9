import type { Hub, HubError, Replies, Socket, Target } from "roomcast";
import { content, entryOf, shorten } from "./entry.ts";
import { Model, TERMINATED } from "./model.ts";
import type { Act, Message, Whom } from "./program.ts";

/** Does what programs ask for, on a hub and on the model side by side. */
export class Server {
  readonly model: Model = new Model();
  readonly sockets: Socket[] = [];
  /** Whatever contradicts the model. */
  readonly complaints: string[] = [];
  /** How long a reply may take, in milliseconds. */
  readonly #patience: number;
  readonly #hub: Hub;
  readonly #requests: Promise<void>[] = [];
  #token = 0;

  constructor(hub: Hub, patience: number) {
    this.#hub = hub;
    this.#patience = patience;
  }

  act(act: Act): void {
    const { model } = this;
    if ("socket" in act) return this.#actOn(this.indexOf(act.socket), act);
    const whom = this.#named(act.whom);
    if (act.act === "broadcast") return this.#broadcast(whom, act.message);
    const meant = model.resolve(whom);
    const target = this.#target(whom);
    if (act.act === "closeAll") {
      target.close(act.code);
      for (const index of meant) model.close(index, act.code);
    } else {
      const call = act.act === "joinAll" ? "join" : "leave";
      target[call](act.room);
      for (const index of meant) model[call](index, [act.room]);
    }
  }

  #actOn(index: number, act: Act & { readonly socket: number }): void {
    const { model } = this;
    const socket = this.#socket(index);
    if (act.act === "join" || act.act === "leave") {
      socket[act.act](...act.rooms);
      model[act.act](index, act.rooms);
    } else if (act.act === "send") {
      this.#send(socket, act.message, model.open.includes(index) ? [index] : []);
    } else if (act.act === "close") {
      socket.close(act.code);
      model.close(index, act.code);
    } else {
      socket.terminate();
      model.close(index, TERMINATED);
    }
  }

  /** Resolves when every request has settled. */
  async requestsSettled(): Promise<void> {
    await Promise.all(this.#requests);
  }

  /** Notes where the views of the hub differ from the model. */
  compareViews(): void {
    const rooms = [...this.#hub.rooms].map(([name, inside]) => `${name}: ${this.#indices(inside.values())}`);
    const expected = Object.entries(this.model.rooms).map(([name, inside]) => `${name}: ${inside.join()}`);
    this.expect("hub.rooms", rooms.toSorted().join("; "), expected.toSorted().join("; "));
    this.expect("hub.sockets", this.#indices(this.#hub.sockets.values()), this.model.open.join());
  }

  expect(what: string, actual: string, expected: string): void {
    if (actual !== expected) this.complaints.push(`${what} is [${actual}] instead of [${expected}]`);
  }

  indexOf(number: number): number {
    return number % this.sockets.length;
  }

  #broadcast(whom: Whom, message: Message): void {
    const { rooms = [], sockets = [] } = whom;
    const only = rooms.length === 1 && sockets.length === 0 ? rooms[0] : undefined;
    this.#send(this.#target(whom), message, this.model.resolve(whom), only);
  }

  /** Sends one message and spoils the data afterwards. */
  #send(to: Socket | Target, message: Message, meant: readonly number[], room?: string): void {
    const text = content(this.#token++, message);
    const data = { text };
    const bytes = Buffer.from(text);
    let replies: Promise<Replies<unknown>> | undefined;
    if (message.kind === "event") to.emit("event", data);
    else if (message.kind === "text") to.send(text);
    else if (message.kind === "bytes") to.send(bytes);
    else replies = this.#request(to, data);
    data.text = "changed after the call";
    bytes.fill(0);

    const entry = entryOf(
      message.kind,
      text,
      message.kind === "event" || message.kind === "request" ? room : undefined,
    );
    for (const index of meant) this.model.send(index, entry, message);
    if (replies !== undefined) this.#requests.push(this.#check(replies, shorten(text), meant));
  }

  async #request(to: Socket | Target, data: { readonly text: string }): Promise<Replies<unknown>> {
    const options = { timeout: this.#patience };
    const none = new Map<string, never>();
    if (!("id" in to)) return to.request("request", data, options);
    const { isOpen } = to;
    return to.request("request", data, options).then(
      (value: unknown) => ({ replies: new Map([[to.id, value]]), failures: none, silent: [] }),
      (error: unknown) => ({
        replies: none,
        failures: isOpen ? new Map([[to.id, error as HubError]]) : none,
        silent: [],
      }),
    );
  }

  async #check(pending: Promise<Replies<unknown>>, answer: string, meant: readonly number[]): Promise<void> {
    const { model } = this;
    const sent = new Map(meant.map((index) => [index, model.sockets[index]?.log.length ?? 0]));
    const { replies, failures } = await pending;
    for (const [index, count] of sent) {
      const { id } = this.#socket(index);
      if (replies.has(id)) model.confirm(index, count);
      const ended = model.sockets[index]?.codes.length !== 0;
      const failure = failures.get(id)?.code ?? "nothing";
      const outcome = replies.has(id) ? String(replies.get(id)) : failure;
      if (!ended) this.expect(`the reply of socket ${index}`, outcome, answer);
      else if (outcome !== answer) this.expect(`the reply of socket ${index}`, outcome, "ERR_HUB_DISCONNECTED");
    }
    const known = new Set(meant.map((index) => this.#socket(index).id));
    const strangers = [...replies.keys(), ...failures.keys()].filter((id) => !known.has(id));
    this.expect(`those asked ${answer} but not meant`, strangers.join(), "");
  }

  #target({ sender, rooms, sockets = [], exceptRooms, exceptSocket }: Whom): Target {
    let target = sender === undefined ? this.#hub.local : this.#socket(sender).broadcast;
    if (rooms !== undefined) target = target.to(rooms);
    for (const index of sockets) target = target.toSocket(this.#socket(index).id);
    if (exceptRooms !== undefined) target = target.except(exceptRooms);
    return exceptSocket === undefined ? target : target.except(this.#socket(exceptSocket));
  }

  /** With the numbers of sockets turned into indices of those that there are. */
  #named({ sender, sockets, exceptSocket, ...rest }: Whom): Whom {
    return {
      ...rest,
      ...(sender === undefined ? {} : { sender: this.indexOf(sender) }),
      // A list of nobody would be no list: the target has no way to say it.
      ...(sockets === undefined || sockets.length === 0 ? {} : { sockets: sockets.map((item) => this.indexOf(item)) }),
      ...(exceptSocket === undefined ? {} : { exceptSocket: this.indexOf(exceptSocket) }),
    };
  }

  #socket(index: number): Socket {
    return this.sockets[index] as Socket;
  }

  #indices(sockets: Iterable<Socket>): string {
    const here = new Set(sockets);
    return [...this.sockets.keys()].filter((index) => here.has(this.#socket(index))).join();
  }
}

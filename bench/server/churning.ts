import type { PeerServer } from "../peers/peer.ts";
import type { Churn, Stream } from "./messages.ts";

/** Lets clients come into a room and go again, in turn. At first, and at the end, none of them is in it. */
export class Churning {
  readonly #server: Pick<PeerServer, "join" | "leave">;
  readonly #churn: Churn;
  readonly #present = new Set<number>();
  #next = 0;
  #joins = 0;

  constructor(server: Pick<PeerServer, "join" | "leave">, churn: Churn) {
    this.#server = server;
    this.#churn = churn;
    this.#empty();
  }

  /** As many as come or go in a turn of the event loop. */
  step(): void {
    const { clients, perTurn } = this.#churn;
    for (let count = 0; count < perTurn; count++) {
      const client = clients[this.#next];
      if (client === undefined) return;
      this.#next = this.#next + 1 === clients.length ? 0 : this.#next + 1;
      this.#toggle(client);
    }
  }

  end(): void {
    this.#present.clear();
    this.#empty();
  }

  hears({ rooms, except }: Stream): boolean {
    const { room } = this.#churn;
    return rooms.includes(room) && !except.includes(room);
  }

  /** How many are in the room. */
  get present(): number {
    return this.#present.size;
  }

  get joins(): number {
    return this.#joins;
  }

  #toggle(client: number): void {
    const { room } = this.#churn;
    if (this.#present.delete(client)) {
      this.#server.leave(client, room);
      return;
    }
    this.#present.add(client);
    this.#joins++;
    this.#server.join(client, room);
  }

  #empty(): void {
    for (const client of this.#churn.clients) this.#server.leave(client, this.#churn.room);
  }
}

import type { PresenceNotice } from "roomcast";

/** Hears what is wrong with a list, and who goes. */
export interface ListListener {
  /** A notice was missed or came twice, or does not say what it has to. */
  failed(what: string): void;
  /** A user is not in the list any more. */
  left(user: string): void;
}

/** The users in a room, as the client keeps them that `docs/PROTOCOL.md` describes. */
export class List {
  readonly users: Set<string> = new Set();
  readonly #listener: ListListener;
  /** The number of the last notice on this connection. */
  #version: number | undefined;

  constructor(listener: ListListener) {
    this.#listener = listener;
  }

  /** The next notice comes on another connection. */
  begin(): void {
    this.#version = undefined;
  }

  take(notice: PresenceNotice): void {
    const { v, reset, in: came = [], out: gone = [], count } = notice;
    const before = this.#version;
    if (reset === true ? before !== undefined && v < before : v !== (before ?? Number.NaN) + 1) {
      this.#listener.failed(`${JSON.stringify(notice).slice(0, 200)} comes after ${before}`);
    }
    this.#version = v;
    const there = new Set(came.map(([user]) => user));
    const left = reset === true ? [...this.users].filter((user) => !there.has(user)) : gone;
    for (const user of there) this.users.add(user);
    for (const user of left) {
      if (!this.users.delete(user)) this.#listener.failed(`${user} goes without having come`);
      this.#listener.left(user);
    }
    if (this.users.size !== count) this.#listener.failed(`${this.users.size} users are known of ${count}`);
  }
}

import { ControlEvent } from "../protocol/packet.ts";
import { ClientError } from "./errors.ts";

/** What has to do with rooms is asked of the server as a request. */
type Ask = (event: string, data: { readonly room: string }) => Promise<unknown>;

/** A room that the client wants to be in. */
interface Membership {
  /** How many requests to join it wait for their replies. */
  pending: number;
}

/** The rooms that the client has joined and not left: those that it joins again on a new connection. */
export class Memberships {
  readonly #wanted = new Map<string, Membership>();
  readonly #ask: Ask;
  readonly #failed: (error: unknown) => void;

  /** `failed` hears of rooms that could not be joined again. */
  constructor(ask: Ask, failed: (error: unknown) => void) {
    this.#ask = ask;
    this.#failed = failed;
  }

  async join(room: string): Promise<void> {
    const membership = this.#wanted.get(room) ?? { pending: 0 };
    this.#wanted.set(room, membership);
    membership.pending++;
    try {
      await this.#ask(ControlEvent.join, { room });
    } catch (error) {
      // Whatever else went wrong, the room is still wanted. But it may have been left, and even joined again, meanwhile.
      const refused = error instanceof ClientError && error.code === "ERR_CLIENT_REMOTE";
      if (refused && this.#wanted.get(room) === membership) this.#wanted.delete(room);
      throw error;
    } finally {
      membership.pending--;
    }
  }

  async leave(room: string): Promise<void> {
    this.#wanted.delete(room);
    await this.#ask(ControlEvent.leave, { room });
  }

  /** On a new connection. Requests that are under way are repeated anyhow. */
  joinAgain(): void {
    for (const [room, { pending }] of this.#wanted) if (pending === 0) this.join(room).catch(this.#failed);
  }
}

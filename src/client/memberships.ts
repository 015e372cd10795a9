import { ControlEvent } from "../protocol/packet.ts";
import { ClientError } from "./errors.ts";

/** What has to do with rooms is asked of the server as a request. */
type Ask = (
  event: string,
  data: { readonly room: string },
  options?: { readonly signal: AbortSignal },
) => Promise<unknown>;

/** A room that the client wants to be in. */
interface Membership {
  /** Gives up the requests to join it that wait for a reply. */
  readonly giveUp: AbortController;
  /** Whether the latest of them is settled. */
  settled: boolean;
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
    const { giveUp } = this.#wanted.get(room) ?? { giveUp: new AbortController() };
    const membership = { giveUp, settled: false };
    this.#wanted.set(room, membership);
    try {
      await this.#ask(ControlEvent.join, { room }, giveUp);
    } catch (error) {
      // Unless it has been left, or joined again, meanwhile.
      if (this.#wanted.get(room) === membership) {
        this.#wanted.delete(room);
        // Without a refusal the server may still let the client in, after it gave up waiting: that is taken back.
        if ((error as ClientError).reason === undefined) this.leave(room).catch(() => {});
      }
      throw error;
    } finally {
      membership.settled = true;
    }
  }

  async leave(room: string): Promise<void> {
    const membership = this.#wanted.get(room);
    this.#wanted.delete(room);
    await this.#ask(ControlEvent.leave, { room });
    // A request to join whose reply was overtaken must not be sent again on the next connection.
    membership?.giveUp.abort(new ClientError("ERR_CLIENT_DROPPED", `Left "${room}".`));
  }

  /** On a new connection. Requests that are under way are sent again anyhow. */
  joinAgain(): void {
    for (const [room, { settled }] of this.#wanted) if (settled) this.join(room).catch(this.#failed);
  }
}

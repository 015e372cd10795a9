import type { ControlEvent } from "../protocol/packet.ts";
import { ClientError } from "./errors.ts";

/** Sends a request that concerns a room to the server. */
type Ask = (
  event: string,
  data: { readonly room: string },
  options?: { readonly signal: AbortSignal },
) => Promise<unknown>;

/** A room that the client wants to be in. */
interface Membership {
  /** Gives up the pending requests to join the room. */
  readonly giveUp: AbortController;
  /** Whether the latest request to join the room is settled. */
  settled: boolean;
}

/** The rooms that the client has joined and not left. The client joins them again on a new connection. */
export class Memberships {
  readonly #wanted = new Map<string, Membership>();
  readonly #ask: Ask;
  readonly #failed: (error: unknown) => void;

  /** @param failed - called with the error when a room could not be joined again. */
  constructor(ask: Ask, failed: (error: unknown) => void) {
    this.#ask = ask;
    this.#failed = failed;
  }

  /** @param isAgain - whether the client was in the room before, and stays interested until the server refuses. */
  async join(room: string, isAgain = false): Promise<void> {
    const { giveUp } = this.#wanted.get(room) ?? { giveUp: new AbortController() };
    const membership = { giveUp, settled: false };
    this.#wanted.set(room, membership);
    try {
      await this.#ask("hub:join" satisfies typeof ControlEvent.join, { room }, giveUp);
    } catch (error) {
      const { reason } = error as ClientError;
      // The room may have been left, or joined again, meanwhile.
      if (this.#wanted.get(room) === membership && !(isAgain && isNoRefusal(reason))) {
        this.#wanted.delete(room);
        // If the server did not refuse, it may still let the client in after the client gave up waiting. This undoes
        // that.
        if (reason === undefined) this.leave(room).catch(() => {});
      }
      throw error;
    } finally {
      membership.settled = true;
    }
  }

  async leave(room: string): Promise<void> {
    const membership = this.#wanted.get(room);
    this.#wanted.delete(room);
    await this.#ask("hub:leave" satisfies typeof ControlEvent.leave, { room });
    // A request to join that is still waiting for its reply must not be sent again on the next connection.
    membership?.giveUp.abort(new ClientError("ERR_CLIENT_DROPPED", `Left "${room}".`));
  }

  /** Joins the rooms again on a new connection. Pending requests to join are left out: they are sent again anyway. */
  joinAgain(): void {
    for (const [room, { settled }] of this.#wanted) if (settled) this.join(room, true).catch(this.#failed);
  }
}

/** Returns whether an error leaves it open whether the client may be in the room. */
function isNoRefusal(reason: string | undefined): boolean {
  return [undefined, "handler-failed", "too-many-requests"].includes(reason);
}

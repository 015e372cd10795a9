import { checkEventName } from "../checks/arguments.ts";
import type { HubSide } from "../contract/hub-side.ts";
import { HubError } from "../errors.ts";
import type { Limits } from "../limits/limits.ts";
import type { ContractSettings } from "../members/options.ts";
import type { Presence } from "../presence/presence.ts";
import { roomNames, type RoomNames } from "../rooms/rooms.ts";

/** Checks a call of the application before it is carried out: the state of the hub, names and data. */
export class Preconditions {
  readonly #contract: HubSide<never> | undefined;
  /** The contract, if data that the server sends is checked, too. */
  readonly #outgoing: HubSide<never> | undefined;
  readonly #limits: Limits;
  #closed = false;

  constructor({ contract, validateOutgoing }: ContractSettings<never>, limits: Limits) {
    this.#contract = contract?.hub;
    this.#outgoing = validateOutgoing ? this.#contract : undefined;
    this.#limits = limits;
  }

  /** Marks the hub as closed: from now on {@link checkOpen} throws. */
  close(): void {
    this.#closed = true;
  }

  /**
   * Checks that the hub was not closed.
   *
   * @throws {HubError} `ERR_HUB_CLOSED`.
   */
  checkOpen(): void {
    if (this.#closed) throw closedError();
  }

  /**
   * Checks an event that the application wants to send.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`.
   */
  checkSent(event: string, data: unknown): void {
    checkEventName(event);
    this.#outgoing?.checkSent(event, data);
  }

  /**
   * Checks an event that the application wants to handle.
   *
   * @throws {HubError} `ERR_HUB_EVENT_NAME`, `ERR_HUB_CONTRACT`.
   */
  checkHandled(event: string): void {
    checkEventName(event);
    if (this.#contract?.knows(event) === false) {
      throw new HubError("ERR_HUB_CONTRACT", `By the contract clients send no "${event}": it would never be handled.`);
    }
  }

  /**
   * Checks the names of rooms that the application gave.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`.
   */
  roomNames(rooms: readonly RoomNames[]): readonly string[] {
    return roomNames(rooms, this.#limits.roomNameLength);
  }

  /**
   * Returns presence, for a room of which the hub knows who is there.
   *
   * @throws {HubError} `ERR_HUB_ROOM_NAME`, `ERR_HUB_PRESENCE`.
   */
  present(presence: Presence | undefined, room: string): Presence {
    this.roomNames([room]);
    if (presence?.has(room) === true) return presence;
    throw new HubError(
      "ERR_HUB_PRESENCE",
      `The option "presence" does not name the room "${room}". Add it, or a pattern that matches it, to presence.rooms.`,
    );
  }

  /** The most handlers that a socket, and listeners that an event, may have. */
  get mostListeners(): number {
    return this.#limits.listeners;
  }
}

/** Creates the error of using a hub that was closed. */
export function closedError(): HubError {
  return new HubError("ERR_HUB_CLOSED", "This hub was closed and cannot be used again. Create a new one.");
}

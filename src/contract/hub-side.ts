import type { HubTypes } from "../event-types.ts";
import type { Acceptance, Direction } from "./direction.ts";

/**
 * A contract as the server uses it.
 *
 * What clients send is judged, and nothing is thrown for it. What the server sends is the program's own: if that does
 * not fit, it is thrown.
 *
 * Everything is synchronous, because messages are handled in the order in which they come: a schema that validates
 * asynchronously is an `error`.
 */
export interface HubSide<T extends HubTypes> {
  /** Whether clients may send or ask this. */
  knows(event: string): boolean;

  /** What a client sent or asked. The `data` of the result is what the schema made of it. */
  accept(event: string, data: unknown): Acceptance;

  /**
   * What a client replied to this request of the server's. The `data` of the result is what the schema made of it, or
   * `undefined` if the contract has no schema for the reply.
   */
  acceptReply(event: string, data: unknown): Acceptance;

  /**
   * What the server is about to send or ask.
   *
   * @returns the data as it is: the client applies the schema itself.
   * @throws {HubError} `ERR_HUB_CONTRACT` naming the path, or an event that the server does not send.
   */
  checkSent(event: string, data: unknown): unknown;

  /**
   * What a handler answers a client's request with.
   *
   * @returns the data as it is.
   * @throws {HubError} `ERR_HUB_CONTRACT` naming the path.
   */
  checkReply(event: string, data: unknown): unknown;

  /** Absent. It carries the types that a hub takes over from its contract. */
  readonly "~types"?: (types: T) => void;
}

/** What a hub needs of a contract. `T` is inferred from it; it may know more than the contract, such as `data`. */
export interface HubContract<T extends HubTypes> {
  readonly hub: HubSide<T>;
}

export function hubSideOf<T extends HubTypes>(fromClients: Direction, fromServer: Direction): HubSide<T> {
  return {
    knows: (event) => fromClients.knows(event),
    accept: (event, data) => fromClients.judge(event, data),
    acceptReply: (event, data) => fromServer.judgeReply(event, data),
    checkSent(event, data) {
      fromServer.check(event, data);
      return data;
    },
    checkReply(event, data) {
      fromClients.checkReply(event, data);
      return data;
    },
  };
}

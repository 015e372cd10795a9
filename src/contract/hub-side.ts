import type { HubTypes } from "../event-types.ts";
import type { Acceptance, Direction } from "./direction.ts";

/**
 * A contract as the server uses it.
 *
 * What clients send is validated, and nothing is thrown. What the server sends is the program's own, so if it does not
 * fit the contract, an error is thrown.
 *
 * Everything is synchronous, because messages are handled in the order in which they arrive: a schema that validates
 * asynchronously is an `error`.
 */
export interface HubSide<T extends HubTypes> {
  /** Tells whether the contract has an event or request of this name that clients may send. */
  knows(event: string): boolean;

  /** Validates an event or request that a client sent. The `data` of the result is what the schema returned. */
  accept(event: string, data: unknown): Acceptance;

  /**
   * Validates a client's reply to this request of the server. The `data` of the result is what the schema returned, or
   * `undefined` if the contract has no schema for the reply.
   */
  acceptReply(event: string, data: unknown): Acceptance;

  /**
   * Checks an event or request that the server is about to send.
   *
   * @returns the data unchanged: the client applies the schema itself.
   * @throws {HubError} `ERR_HUB_CONTRACT`. The message names the path, or an event that the server does not send.
   */
  checkSent(event: string, data: unknown): unknown;

  /**
   * Checks the reply that a handler gives to a client's request.
   *
   * @returns the data unchanged.
   * @throws {HubError} `ERR_HUB_CONTRACT`. The message names the path.
   */
  checkReply(event: string, data: unknown): unknown;

  /** This property is absent at run time. Its type carries the types that a hub takes over from its contract. */
  readonly "~types"?: (types: T) => void;
}

/**
 * The part of a contract that a hub needs. `T` is inferred from it and may contain more than the contract, such as
 * `data`.
 */
export interface HubContract<T extends HubTypes> {
  readonly hub: HubSide<T>;
}

export function hubSideOf<T extends HubTypes>(fromClients: Direction, fromServer: Direction): HubSide<T> {
  return {
    knows: (event) => fromClients.knows(event),
    accept: (event, data) => fromClients.validate(event, data),
    acceptReply: (event, data) => fromServer.validateReply(event, data),
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

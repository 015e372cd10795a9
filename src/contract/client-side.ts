import type { HubTypes } from "../event-types.ts";
import type { Direction } from "./direction.ts";

/**
 * A contract as a client uses it. Every function throws if the data does not fit the contract, with a message that
 * names the path.
 *
 * Everything is synchronous, because messages are handled in the order in which they arrive: a schema that validates
 * asynchronously is an error.
 */
export interface ClientSide<T extends HubTypes> {
  /**
   * Checks an event or request that the client is about to send.
   *
   * @returns the data unchanged: the server applies the schema itself.
   * @throws {HubError} `ERR_HUB_CONTRACT`, also for an event that clients do not send.
   */
  checkSent(event: string, data: unknown): unknown;

  /**
   * Checks an event or request that the server sent.
   *
   * @returns the data as the schema returned it.
   * @throws {HubError} `ERR_HUB_CONTRACT`, also for an event that the server does not send: its data is unknown, so no
   *   listener can be given it. A newer server may send such events; dropping them does no harm.
   */
  checkReceived(event: string, data: unknown): unknown;

  /**
   * Checks the server's reply to a request of the client.
   *
   * @returns the data as the schema returned it, or `undefined` if the contract has no schema for the reply.
   * @throws {HubError} `ERR_HUB_CONTRACT`.
   */
  checkReply(event: string, data: unknown): unknown;

  /**
   * Checks the reply that a handler of the client gives to a request of the server.
   *
   * @returns the data unchanged.
   * @throws {HubError} `ERR_HUB_CONTRACT`.
   */
  checkAnswer(event: string, data: unknown): unknown;

  /** This property is absent at run time. Its type carries the types that a client takes over from its contract. */
  readonly "~types"?: (types: T) => void;
}

/** The part of a contract that a client needs. `T` is inferred from it. */
export interface ClientContract<T extends HubTypes> {
  readonly client: ClientSide<T>;
}

export function clientSideOf<T extends HubTypes>(fromClients: Direction, fromServer: Direction): ClientSide<T> {
  return {
    checkSent(event, data) {
      fromClients.check(event, data);
      return data;
    },
    checkReceived: (event, data) => fromServer.check(event, data),
    checkReply: (event, data) => fromClients.checkReply(event, data),
    checkAnswer(event, data) {
      fromServer.checkReply(event, data);
      return data;
    },
  };
}

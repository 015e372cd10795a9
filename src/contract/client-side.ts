import type { HubTypes } from "../event-types.ts";
import type { Direction } from "./direction.ts";

/**
 * A contract as a client uses it. Every function throws where something does not fit, with a message that names the path.
 *
 * Everything is synchronous, because messages are handled in the order in which they come: a schema that validates
 * asynchronously is an error.
 */
export interface ClientSide<T extends HubTypes> {
  /**
   * What the client is about to send or ask.
   *
   * @returns the data as it is: the server applies the schema itself.
   * @throws {HubError} `ERR_HUB_CONTRACT`, also for an event that clients do not send.
   */
  checkSent(event: string, data: unknown): unknown;

  /**
   * What the server sent or asked.
   *
   * @returns what the schema made of the data.
   * @throws {HubError} `ERR_HUB_CONTRACT`, also for an event that the server does not send: nothing is known of its data,
   *   so no listener can be given it. A newer server may send such events; dropping them does no harm.
   */
  checkReceived(event: string, data: unknown): unknown;

  /**
   * What the server replied to a request of the client's.
   *
   * @returns what the schema made of the data, or `undefined` if the contract has no schema for the reply.
   * @throws {HubError} `ERR_HUB_CONTRACT`.
   */
  checkReply(event: string, data: unknown): unknown;

  /**
   * What a handler of the client's answers a request of the server's with.
   *
   * @returns the data as it is.
   * @throws {HubError} `ERR_HUB_CONTRACT`.
   */
  checkAnswer(event: string, data: unknown): unknown;

  /** Absent. It carries the types that a client takes over from its contract. */
  readonly "~types"?: (types: T) => void;
}

/** What a client needs of a contract. `T` is inferred from it. */
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

/**
 * The contract of both sides, without the server, for what pages share with it: {@link defineContract}.
 *
 * @module roomcast/contract
 */

import { toAsyncAPI, type AsyncAPIDocument, type AsyncAPIOptions } from "./asyncapi.ts";
import { clientSideOf, type ClientContract } from "./client-side.ts";
import {
  checkDefinition,
  type ContractDefinition,
  type EventDefinitions,
  type RequestDefinitions,
} from "./definition.ts";
import { Direction } from "./direction.ts";
import { hubSideOf, type HubContract } from "./hub-side.ts";
import type { ClientView, HubView, None } from "./types.ts";

export type { AsyncAPIDocument, AsyncAPIOptions } from "./asyncapi.ts";
export type { ClientContract, ClientSide } from "./client-side.ts";
export type {
  ContractDefinition,
  EventDefinition,
  EventDefinitions,
  RequestDefinition,
  RequestDefinitions,
} from "./definition.ts";
export type { Acceptance, UnknownEvent } from "./direction.ts";
export type { HubContract, HubSide } from "./hub-side.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./standard-schema.ts";
export type { ClientView, HubView } from "./types.ts";
export type { Invalid, Validation } from "./validation.ts";
export { HubError } from "../errors.ts";

/** The result of {@link defineContract}: the types of both sides, and their checks at run time. */
export interface Contract<D extends ContractDefinition> extends HubContract<HubView<D>>, ClientContract<ClientView<D>> {
  /** The definition: the four groups of schemas. */
  readonly definition: D;

  /**
   * Describes the contract in AsyncAPI 3.0, for people and generators that do not know roomcast. The schemas must offer
   * Standard JSON Schema: those of zod do from 4.2 on, those of valibot after `toStandardJsonSchema`.
   *
   * The document leaves out the packets of the protocol itself, such as `hub:welcome`; `docs/PROTOCOL.md` describes
   * them.
   *
   * @throws {HubError} `ERR_HUB_CONTRACT` for a schema that has no JSON Schema, `ERR_HUB_ARGUMENT` for wrong options.
   */
  toAsyncAPI(options: AsyncAPIOptions): AsyncAPIDocument;
}

/** The types of a hub with this contract: `new Hub<ContractTypes<typeof contract> & { data: { name: string } }>(…)`. */
export type ContractTypes<C> = C extends { readonly definition: infer D extends ContractDefinition }
  ? HubView<D>
  : never;

/**
 * The types of a client with this contract, without its schemas: `connect<ClientContractTypes<typeof contract>>(url)`.
 */
export type ClientContractTypes<C> = C extends { readonly definition: infer D extends ContractDefinition }
  ? ClientView<D>
  : never;

/**
 * Defines the events of an application and their data once, for the server and its clients. A contract given to `new
 * Hub` and `connect` provides their types, and everything that arrives is validated: data that does not fit reaches
 * no handler.
 *
 * The schemas may come from any library that follows https://standardschema.dev. They must validate synchronously,
 * because messages are handled in the order in which they arrive. The sender sends a schema's input; handlers and
 * listeners get its output.
 *
 * @example
 * const contract = defineContract({
 *   client: { chat: z.object({ text: z.string().max(500) }), leave: null },     // clients send; null: without data
 *   server: { said: z.object({ from: z.string(), text: z.string() }) },         // the server sends
 *   requests: { sum: { data: z.array(z.number()), reply: z.number() } },        // clients ask
 *   serverRequests: { confirm: { data: z.string(), reply: z.boolean() } },      // the server asks
 * });
 * const hub = new Hub({ contract });
 * const client = connect("wss://example.com", { contract });
 *
 * @throws {HubError} `ERR_HUB_CONTRACT` naming what is wrong in the definition.
 */
export function defineContract<
  C extends EventDefinitions = None,
  S extends EventDefinitions = None,
  R extends RequestDefinitions = None,
  Q extends RequestDefinitions = None,
>(definition: {
  readonly client?: C;
  readonly server?: S;
  readonly requests?: R;
  readonly serverRequests?: Q;
}): Contract<{ client: C; server: S; requests: R; serverRequests: Q }> {
  const checked = checkDefinition(definition);
  const { client = {} as C, server = {} as S, requests = {} as R, serverRequests = {} as Q } = definition;
  const fromClients = new Direction(checked.fromClients, "clients");
  const fromServer = new Direction(checked.fromServer, "the server");
  return {
    definition: { client, server, requests, serverRequests },
    hub: hubSideOf(fromClients, fromServer),
    client: clientSideOf(fromClients, fromServer),
    toAsyncAPI: (options) => toAsyncAPI(checked, options),
  };
}

import { toAsyncAPI, type AsyncAPIDocument, type AsyncAPIOptions } from "./asyncapi.ts";
import { clientSideOf, type ClientContract } from "./client-side.ts";
import { directionsOf, type ContractDefinition, type EventDefinitions, type RequestDefinitions } from "./definition.ts";
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

/** What {@link defineContract} returns: the types of both sides, and their checks at run time. */
export interface Contract<D extends ContractDefinition> extends HubContract<HubView<D>>, ClientContract<ClientView<D>> {
  /** The four groups of schemas. */
  readonly definition: D;

  /**
   * Describes the contract in AsyncAPI 3.0, for people and generators that know no roomcast. It takes schemas that offer
   * Standard JSON Schema: those of zod from 4.2 on do, those of valibot after `toStandardJsonSchema`.
   *
   * The packets of the protocol itself, such as `hub:welcome`, are in `docs/PROTOCOL.md` and not in the document.
   *
   * @throws {HubError} `ERR_HUB_CONTRACT` for a schema that has no JSON Schema, `ERR_HUB_ARGUMENT` for the options.
   */
  toAsyncAPI(options: AsyncAPIOptions): AsyncAPIDocument;
}

/** The types of a hub under the contract: `new Hub<ContractTypes<typeof contract> & { data: { name: string } }>(…)`. */
export type ContractTypes<C> = C extends { readonly definition: infer D extends ContractDefinition }
  ? HubView<D>
  : never;

/** The types of a client under the contract, without its schemas: `connect<ClientContractTypes<typeof contract>>(url)`. */
export type ClientContractTypes<C> = C extends { readonly definition: infer D extends ContractDefinition }
  ? ClientView<D>
  : never;

/**
 * Says once which events there are and what they carry, for the server and its clients. Given to `new Hub` and `connect`,
 * it brings them their types, and what arrives is validated: what does not fit reaches no handler.
 *
 * The schemas may be of any library that follows https://standardschema.dev, and must validate synchronously: messages
 * are handled in the order in which they come. What is sent is what a schema takes; handlers and listeners get what it
 * makes of that.
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
  const directions = directionsOf(definition);
  const { client = {} as C, server = {} as S, requests = {} as R, serverRequests = {} as Q } = definition;
  const fromClients = new Direction(directions.fromClients, "clients");
  const fromServer = new Direction(directions.fromServer, "the server");
  return {
    definition: { client, server, requests, serverRequests },
    hub: hubSideOf(fromClients, fromServer),
    client: clientSideOf(fromClients, fromServer),
    toAsyncAPI: (options) => toAsyncAPI(directions, options),
  };
}

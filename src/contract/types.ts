import type { ContractDefinition, EventDefinitions, RequestDefinitions } from "./definition.ts";
import type { InputOf, OutputOf, StandardSchema } from "./standard-schema.ts";

/** No names. */
export type None = { readonly [K in never]: never };

/**
 * The events of a contract as the server sees them, in the form of `HubTypes`: what clients send has passed the schemas,
 * what the server sends has yet to.
 */
export interface HubView<D extends ContractDefinition> {
  client: Together<Received<EventsIn<D["client"]>>, Answered<RequestsIn<D["requests"]>>>;
  server: Together<Sent<EventsIn<D["server"]>>, Asked<RequestsIn<D["serverRequests"]>>>;
}

/** The same events as a client sees them. */
export interface ClientView<D extends ContractDefinition> {
  client: Together<Sent<EventsIn<D["client"]>>, Asked<RequestsIn<D["requests"]>>>;
  server: Together<Received<EventsIn<D["server"]>>, Answered<RequestsIn<D["serverRequests"]>>>;
}

type EventsIn<G> = G extends EventDefinitions ? G : None;
type RequestsIn<G> = G extends RequestDefinitions ? G : None;

type Received<G extends EventDefinitions> = { [K in keyof G]: Output<G[K]> };
type Sent<G extends EventDefinitions> = { [K in keyof G]: Input<G[K]> };

/** By this side: the data has passed its schema, the reply has yet to. */
type Answered<G extends RequestDefinitions> = {
  [K in keyof G]: G[K] extends { readonly data: infer S extends StandardSchema }
    ? (data: OutputOf<S>) => Reply<G[K], "input">
    : () => Reply<G[K], "input">;
};

/** By this side: the other way round. */
type Asked<G extends RequestDefinitions> = {
  [K in keyof G]: G[K] extends { readonly data: infer S extends StandardSchema }
    ? (data: InputOf<S>) => Reply<G[K], "output">
    : () => Reply<G[K], "output">;
};

type Input<S> = S extends StandardSchema ? InputOf<S> : undefined;
type Output<S> = S extends StandardSchema ? OutputOf<S> : undefined;

/** `void` rather than `undefined`, so that a handler need not return anything. */
type Reply<R, Of extends "input" | "output"> = R extends { readonly reply: infer S extends StandardSchema }
  ? NonNullable<S["~standard"]["types"]>[Of]
  : void;

/** Both maps in one, shown as one. */
type Together<A, B> = { [K in keyof A | keyof B]: K extends keyof A ? A[K] : K extends keyof B ? B[K] : never };

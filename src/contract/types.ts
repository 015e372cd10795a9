import type { ContractDefinition, EventDefinitions, RequestDefinitions } from "./definition.ts";
import type { InputOf, OutputOf, StandardSchema } from "./standard-schema.ts";

/** A group without names. */
export type None = { readonly [K in never]: never };

/**
 * The events of a contract as the server sees them, in the form of `HubTypes`. What clients send has passed the
 * schemas; what the server sends has not passed them yet.
 */
export interface HubView<D extends ContractDefinition> {
  client: Together<ReceivedEvents<EventsIn<D["client"]>>, AnsweredRequests<RequestsIn<D["requests"]>>>;
  server: Together<SentEvents<EventsIn<D["server"]>>, AskedRequests<RequestsIn<D["serverRequests"]>>>;
}

/** The events of a contract as a client sees them, in the form of `HubTypes`. */
export interface ClientView<D extends ContractDefinition> {
  client: Together<SentEvents<EventsIn<D["client"]>>, AskedRequests<RequestsIn<D["requests"]>>>;
  server: Together<ReceivedEvents<EventsIn<D["server"]>>, AnsweredRequests<RequestsIn<D["serverRequests"]>>>;
}

type EventsIn<G> = G extends EventDefinitions ? G : None;
type RequestsIn<G> = G extends RequestDefinitions ? G : None;

type ReceivedEvents<G extends EventDefinitions> = { [K in keyof G]: Output<G[K]> };
type SentEvents<G extends EventDefinitions> = { [K in keyof G]: Input<G[K]> };

/** The requests that this side answers: the data has passed its schema, the reply has not passed its schema yet. */
type AnsweredRequests<G extends RequestDefinitions> = {
  [K in keyof G]: G[K] extends { readonly data: infer S extends StandardSchema }
    ? (data: OutputOf<S>) => Reply<G[K], "input">
    : () => Reply<G[K], "input">;
};

/** The requests that this side sends: the reply has passed its schema, the data has not passed its schema yet. */
type AskedRequests<G extends RequestDefinitions> = {
  [K in keyof G]: G[K] extends { readonly data: infer S extends StandardSchema }
    ? (data: InputOf<S>) => Reply<G[K], "output">
    : () => Reply<G[K], "output">;
};

type Input<S> = S extends StandardSchema ? InputOf<S> : undefined;
type Output<S> = S extends StandardSchema ? OutputOf<S> : undefined;

/**
 * The data of a reply. A reply without data is `void` rather than `undefined`, so that a handler need not return
 * anything.
 */
type Reply<R, Of extends "input" | "output"> = R extends { readonly reply: infer S extends StandardSchema }
  ? NonNullable<S["~standard"]["types"]>[Of]
  : void;

/** Both maps in one, which editors show as one type. */
type Together<A, B> = { [K in keyof A | keyof B]: K extends keyof A ? A[K] : K extends keyof B ? B[K] : never };

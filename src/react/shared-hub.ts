import type { Client, StateChange } from "../client/index.ts";
import type { HubTypes } from "../event-types.ts";

/** The state of the client, with what {@link StateChange} says about it. */
export type ConnectionState = Omit<StateChange, "previous">;

/** What a provider shares with the hooks below it. */
export interface SharedHub<T extends HubTypes> {
  readonly client: Client<T>;
  /** The state for the server and for hydration, where no client connects. */
  readonly initial: ConnectionState;
  /** The latest state. Only the provider changes this field, before the hooks hear of the change. */
  connection: ConnectionState;
  isMounted: boolean;
}

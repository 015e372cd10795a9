/** What clients do once they are connected again: nothing; join rooms that are not recorded; join with their positions. */
export type Return = "connect" | "join" | "recover";

/** What the coordinator asks of the clients' process. */
export type StormCommand =
  /** Connects all, which join the rooms that are recorded. */
  | {
      readonly do: "begin";
      readonly port: number;
      readonly compression: boolean;
      /** The rooms of each client, by number. */
      readonly rooms: readonly (readonly number[])[];
    }
  /** All lose their connections. */
  | { readonly do: "lose" }
  /** All connect again, and each has missed so many messages in each room. */
  | { readonly do: "return"; readonly how: Return; readonly missed: number };

export type StormReport =
  | { readonly told: "begun" }
  | { readonly told: "lost" }
  /** In seconds: until the last was connected, and from then on until all had what they were to get. */
  | { readonly told: "returned"; readonly connecting: number; readonly catchingUp: number }
  | { readonly told: "failed"; readonly reason: string };

/** What a client is told to do. */
export interface ClientPlan {
  readonly port: number;
  readonly client: number;
  readonly rooms: readonly string[];
}

/** Receives what a client hears. */
export interface ClientReport {
  /** Called for each connection on which the client is in all its rooms. */
  joined(): void;
  /** Called when the connection has ended. */
  lost(): void;
  received(room: string, number: number): void;
  gap(room: string, reason: string): void;
}

/** Starts a client, which stays until its process ends. */
export type Connect = (plan: ClientPlan, report: ClientReport) => void;

/** The data of a message: the room, and the number of the message in it. */
export interface Numbered {
  readonly room: string;
  readonly number: number;
}

/** The longest delay before a client reconnects, in milliseconds. It is the default of Socket.IO. */
export const LONGEST_DELAY = 5_000;

/** What a client says in the query of its request. */
export function queryOf({ client, rooms }: ClientPlan): string {
  return `client=${client}&rooms=${rooms.join(",")}`;
}

/** What a session tells. */
export interface SessionEvents {
  message(channel: string, envelope: Uint8Array): void;
  /** It cannot be used any more, and will be ended. What is told later is ignored. */
  fault(error: unknown): void;
}

/** A connection to an engine, from its beginning to its first fault. */
export interface Session {
  /** Resolves when the engine has it; rejects when the session ends before. Not sent again. */
  publish(channel: string, envelope: Uint8Array): Promise<void>;
  /** Resolves when the engine has confirmed all of them. None of them is subscribed to. */
  subscribe(channels: readonly string[]): Promise<void>;
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Resolves when the engine has answered on every connection. */
  ping(): Promise<void>;
  /** Drops everything at once. Called once. What is pending rejects. */
  end(): void;
}

/** Begins a session. Rejects when the engine is not there. */
export type Connect = (events: SessionEvents) => Promise<Session>;

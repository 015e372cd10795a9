import { ClientError } from "./errors.ts";

/** A stream of events for a loop that takes its time. */
export interface EventStream<V> {
  readonly events: AsyncGenerator<V, void, undefined>;
  push(value: V): void;
  /** Ends the stream: the loop still gets the buffered events, and then ends, or fails with the error. */
  end(error?: ClientError): void;
}

/**
 * Creates a stream.
 *
 * @param maxBuffered - the most events that may wait for the loop; one more ends the stream with `ERR_CLIENT_OVERFLOW`.
 * @param left - called when the stream takes no more events.
 */
export function createEventStream<V>(maxBuffered: number, left: () => void): EventStream<V> {
  const buffer: V[] = [];
  let wake: (() => void) | undefined;
  let ending: { readonly error: ClientError | undefined } | undefined;

  async function* take(): AsyncGenerator<V, void, undefined> {
    try {
      for (;;) {
        yield* buffer.splice(0, 1);
        if (buffer.length) continue;
        if (ending?.error) throw ending.error;
        if (ending) return;
        // oxlint-disable-next-line no-await-in-loop -- it waits for the next event
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      left();
    }
  }

  return {
    events: take(),
    push(value) {
      if (buffer.length < maxBuffered) buffer.push(value);
      else this.end(new ClientError("ERR_CLIENT_OVERFLOW", `More than ${maxBuffered} events wait.`));
      wake?.();
    },
    end(error) {
      ending ??= { error };
      left();
      wake?.();
    },
  };
}

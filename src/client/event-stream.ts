import { ClientError } from "./errors.ts";

/** A stream of events for a loop that takes its time. */
export interface EventStream<V> {
  push(value: V): void;
  /** Ends the stream: the loop still gets the buffered events, and then ends, or fails with the error. */
  end(error?: ClientError | false): void;
}

/**
 * Creates a stream, and returns its events.
 *
 * @param maxBuffered - the most events that may wait for the loop; one more ends the stream with `ERR_CLIENT_OVERFLOW`.
 * @param streams - the streams that take events, to which this one belongs until it ends.
 */
export function createEventStream<V>(
  maxBuffered: number,
  streams: Set<EventStream<V>>,
): AsyncGenerator<V, void, undefined> {
  const buffer: V[] = [];
  let wake: (() => void) | undefined;
  let ending: ClientError | false | undefined;

  async function* take(): AsyncGenerator<V, void, undefined> {
    try {
      for (;;) {
        yield* buffer.splice(0, 1);
        if (buffer.length) continue;
        if (ending) throw ending;
        if (ending === false) return;
        // oxlint-disable-next-line no-await-in-loop -- it waits for the next event
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      streams.delete(stream);
    }
  }

  const stream: EventStream<V> = {
    push(value) {
      if (buffer.length < maxBuffered) buffer.push(value);
      else stream.end(new ClientError("ERR_CLIENT_OVERFLOW", `More than ${maxBuffered} events wait.`));
      wake?.();
    },
    end(error = false) {
      ending ??= error;
      streams.delete(stream);
      wake?.();
    },
  };
  streams.add(stream);
  return take();
}

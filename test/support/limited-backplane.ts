import type { Backplane } from "roomcast";
import type { MemoryEngine } from "roomcast/testing";

/** A backplane of an engine that takes envelopes of a size. */
export function limited(engine: MemoryEngine, maxBytes: number): Backplane {
  const backplane = engine.backplane();
  return {
    ordered: backplane.ordered,
    start: (handlers) => backplane.start({ ...handlers, up: () => handlers.up(maxBytes) }),
    publish: async (channel, envelope) => {
      if (envelope.byteLength > maxBytes) throw new Error("The envelope is too large.");
      await backplane.publish(channel, envelope);
    },
    subscribe: (channel) => backplane.subscribe(channel),
    unsubscribe: (channel) => backplane.unsubscribe(channel),
    close: () => backplane.close(),
  };
}

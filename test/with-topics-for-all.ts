import type { Transport } from "roomcast";

/** The transport, but its topics are used for every group however small, as otherwise for large ones only. */
export function withTopicsForAll(inner: Transport): Transport {
  if (inner.topics === undefined) throw new Error(`The transport ${inner.name} has no topics`);
  return {
    name: inner.name,
    topics: { ...inner.topics, leastMembers: 1 },
    start: (handlers, settings) => inner.start(handlers, settings),
    listen: (options) => inner.listen(options),
    stopListening: () => inner.stopListening(),
    destroy: () => inner.destroy(),
  };
}

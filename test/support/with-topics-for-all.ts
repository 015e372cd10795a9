import type { Transport } from "roomcast";

/** Wraps a transport so that it uses topics for groups of any size, and not only for large ones. */
export function withTopicsForAll(inner: Transport): Transport {
  const { topics } = inner;
  if (topics === undefined) throw new Error(`The transport ${inner.name} has no topics`);
  return {
    name: inner.name,
    topics: {
      leastMembers: 1,
      subscribe: (connection, topic) => topics.subscribe(connection, topic),
      unsubscribe: (connection, topic) => topics.unsubscribe(connection, topic),
      publish: (topic, frames, without) => topics.publish(topic, frames, without),
    },
    start: (handlers, settings) => inner.start(handlers, settings),
    listen: (options) => inner.listen(options),
    stopListening: () => inner.stopListening(),
    destroy: (within) => inner.destroy(within),
  };
}

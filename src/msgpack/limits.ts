/** The extension type of a Map: "M". Its payload is one MessagePack array of key, value, key, value, and so on. */
export const MAP_EXTENSION = 77;

/**
 * The most keys of one Map that may be something other than strings. The engine hashes numbers without a secret, so
 * with many more of them a client could choose keys that collide, and keep the server busy for seconds with one
 * message.
 */
export const MAX_UNHASHED_KEYS = 1024;

/** The extension type of a Map: "M". Its payload is one MessagePack array of key, value, key, value, and so on. */
export const MAP_EXTENSION = 77;

/** How deep arrays, maps and Maps may be nested, the packet itself being one. */
export const MAX_DEPTH = 512;

/**
 * How many keys of one Map may be something else than strings. The engine hashes numbers without a secret, so that with
 * many more of them a client could choose keys that collide, and keep the server busy for seconds with one message.
 */
export const MAX_UNHASHED_KEYS = 1024;

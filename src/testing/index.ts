export { memory, type MemoryConnectOptions, type MemoryTransport } from "../transports/memory.ts";

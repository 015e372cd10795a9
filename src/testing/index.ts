export { memory, type MemoryConnectOptions, type MemoryTransport } from "../transports/memory.ts";
export { RawClient, type RawResponse } from "./raw-client.ts";
export type { RawFrame } from "./raw-frame.ts";
export { SuiteRefusal, type SuiteClient, type SuiteClosing, type SuiteConnectOptions } from "./suite-client.ts";
export type { SuiteRunner } from "./suite/suite.ts";
export { inMemory, overSockets, type TransportSubject } from "./transport-subject.ts";
export { transportSuite } from "./transport-suite.ts";

/**
 * For tests: a hub in memory with a virtual clock, simulated clusters, and the suites that hold transports and
 * backplanes to what hubs rely on. `docs/TESTING.md` shows how to use them.
 *
 * @module roomcast/testing
 */

export { backplaneSuite } from "./backplane-suite.ts";
export type { BackplaneSubject } from "./backplane-subject.ts";
export { MemoryEngine } from "./memory-engine.ts";
export { memory, type MemoryConnectOptions, type MemoryTransport } from "../transports/memory/index.ts";
export { Random } from "./random.ts";
export { RawClient, type RawResponse } from "./raw-client.ts";
export type { RawFrame } from "./raw-frame.ts";
export {
  FAULTS,
  shrinkFaults,
  Simulation,
  type Fault,
  type FaultKind,
  type SimulatedNodeBasis,
  type SimulationCounts,
  type SimulationOptions,
  type SimulationOutcome,
} from "./simulation/index.ts";
export { SuiteRefusal, type SuiteClient, type SuiteClosing, type SuiteConnectOptions } from "./suite-client.ts";
export type { SuiteRunner } from "./suite/suite.ts";
export type { TestClient, TestMessage } from "./test-client.ts";
export {
  createTestHub,
  type TestConnectOptions,
  type TestFailure,
  type TestHub,
  type TestHubBasis,
  type TestHubOptions,
  type TestWebSocketConstructor,
} from "./test-hub.ts";
export { TestRefusal } from "./test-refusal.ts";
export { inMemory, overSockets, type TransportSubject } from "./transport-subject.ts";
export { transportSuite } from "./transport-suite.ts";
export { VirtualClock } from "./virtual-clock.ts";

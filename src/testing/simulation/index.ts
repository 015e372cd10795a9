export type { SimulationCounts } from "./checker.ts";
export { FAULTS, type Fault, type FaultKind } from "./fault.ts";
export { Simulation, type SimulatedNodeBasis, type SimulationOptions, type SimulationOutcome } from "./simulation.ts";
export { shrinkFaults } from "./shrink.ts";

import { backplaneSuite, inMemory, MemoryEngine } from "roomcast/testing";
import { describe, it } from "vitest";
import { CLUSTER_TRANSPORTS } from "../../support/cluster-transports.ts";

const engines = new Map<string, MemoryEngine>();
let current: MemoryEngine | undefined;

/** Each scope is an engine of its own. */
function engineOf(scope: string): MemoryEngine {
  const engine = engines.get(scope) ?? new MemoryEngine();
  engines.set(scope, engine);
  current = engine;
  return engine;
}

const subject = {
  name: "memory",
  create: (scope: string) => engineOf(scope).backplane(),
  hasLog: true,
  outage: {
    begin: async () => current?.stop(),
    end: async () => current?.start(),
  },
};

backplaneSuite({ describe, it }, subject, CLUSTER_TRANSPORTS);
backplaneSuite({ describe, it }, { ...subject, name: "memory, hubs in memory" }, [inMemory()]);

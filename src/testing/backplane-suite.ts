import type { BackplaneSubject } from "./backplane-subject.ts";
import { actCases } from "./suite/cluster/acts.ts";
import { ClusterSuite } from "./suite/cluster/cluster-suite.ts";
import { emitterCases } from "./suite/cluster/emitter.ts";
import { interestCases } from "./suite/cluster/interest.ts";
import { nodeRequestCases } from "./suite/cluster/node-requests.ts";
import { logCases } from "./suite/cluster/logs.ts";
import { nodeCases } from "./suite/cluster/nodes.ts";
import { onlineCases } from "./suite/cluster/online.ts";
import { orderCases } from "./suite/cluster/order.ts";
import { outageCases } from "./suite/cluster/outages.ts";
import { queryCases } from "./suite/cluster/queries.ts";
import { recordCases } from "./suite/cluster/records.ts";
import { reachCases } from "./suite/cluster/reach.ts";
import { repeatCases } from "./suite/cluster/repeats.ts";
import type { SuiteRunner } from "./suite/suite.ts";
import type { TransportSubject } from "./transport-subject.ts";

/**
 * Declares the tests that every backplane passes. They check that several hubs look like one to their clients.
 *
 * Each test has hubs of its own, in this process, on the given transports in turn, and real clients. Some tests wait
 * for leases and outages, for a few seconds.
 *
 * @example
 * import { describe, it } from "node:test";
 * import { backplaneSuite, overSockets } from "roomcast/testing";
 *
 * const subject = { name: "mine", create: (scope) => mine({ prefix: scope }) };
 * backplaneSuite({ describe, it }, subject, [overSockets("ws", ws)]);
 */
export function backplaneSuite(
  runner: SuiteRunner,
  subject: BackplaneSubject,
  transports: readonly TransportSubject[],
): void {
  runner.describe(`backplane ${subject.name}`, () => {
    const suite = new ClusterSuite(runner, subject, transports);
    suite.group("reach", reachCases);
    suite.group("order", orderCases);
    suite.group("acts", actCases);
    suite.group("queries", queryCases);
    suite.group("repeated requests", repeatCases);
    suite.group("interest", interestCases);
    suite.group("online", onlineCases);
    suite.group("nodes", nodeCases);
    suite.group("requests between nodes", nodeRequestCases);
    suite.group("emitter", emitterCases);
    suite.group("logs", logCases);
    suite.group("records", recordCases);
    suite.group("outages", outageCases);
  });
}

import { closingCases } from "./suite/closing.ts";
import { compressionCases } from "./suite/compression.ts";
import { deliveryCases } from "./suite/delivery.ts";
import { doorCases } from "./suite/door.ts";
import { drainCases } from "./suite/drain.ts";
import { frameCases } from "./suite/frames.ts";
import { handleAnyCases } from "./suite/handle-any.ts";
import { handshakeCases } from "./suite/handshake.ts";
import { heartbeatCases } from "./suite/heartbeat.ts";
import { impatientCases } from "./suite/impatient.ts";
import { isolationCases } from "./suite/isolation.ts";
import { lifecycleCases } from "./suite/lifecycle.ts";
import { messageCases } from "./suite/messages.ts";
import { overloadPolicyCases } from "./suite/overload-policies.ts";
import { overloadCases } from "./suite/overload.ts";
import { requestCases } from "./suite/requests.ts";
import { roomEventCases } from "./suite/room-events.ts";
import { roomCases } from "./suite/rooms.ts";
import { seamCases } from "./suite/seam.ts";
import { shutdownCases } from "./suite/shutdown.ts";
import { Suite, type SuiteRunner } from "./suite/suite.ts";
import { undecidedCases } from "./suite/undecided.ts";
import { violationCases } from "./suite/violations.ts";
import type { TransportSubject } from "./transport-subject.ts";

/**
 * Declares the tests that every transport passes. They check that a program behaves the same on all transports.
 *
 * The caller chooses the test runner; the tests throw `AssertionError`s of `node:assert`. Each test has a hub and
 * clients of its own, listens on a free port of 127.0.0.1, and leaves nothing behind. Some tests wait for real timers,
 * but none for longer than the default timeouts of the usual runners.
 *
 * @example
 * import { describe, it } from "node:test";
 * import { overSockets, transportSuite } from "roomcast/testing";
 *
 * transportSuite({ describe, it }, overSockets("mine", () => myTransport()));
 */
export function transportSuite(runner: SuiteRunner, subject: TransportSubject): void {
  runner.describe(`transport ${subject.name}`, () => {
    const suite = new Suite(runner, subject);
    suite.group("seam", seamCases);
    suite.group("handshake", handshakeCases);
    suite.group("undecided handshake", undecidedCases);
    suite.group("door", doorCases);
    suite.group("impatient clients", impatientCases);
    suite.group("messages", messageCases);
    suite.group("frames", frameCases);
    suite.group("violations", violationCases);
    suite.group("closing", closingCases);
    suite.group("delivery", deliveryCases);
    suite.group("overload", overloadCases);
    suite.group("overload policies", overloadPolicyCases);
    suite.group("compression", compressionCases);
    suite.group("rooms", roomCases);
    suite.group("events of rooms", roomEventCases);
    suite.group("requests", requestCases);
    suite.group("handler of any event", handleAnyCases);
    suite.group("life cycle", lifecycleCases);
    suite.group("heartbeat", heartbeatCases);
    suite.group("shutdown", shutdownCases);
    suite.group("drain", drainCases);
    suite.group("isolation", isolationCases);
  });
}

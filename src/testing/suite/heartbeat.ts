import assert from "node:assert/strict";
import { Opcode } from "../raw-frame.ts";
import type { Suite } from "./suite.ts";

const HEARTBEAT = { heartbeat: { interval: 250, timeout: 200 } };

/** How lost clients are found. */
export function heartbeatCases(suite: Suite): void {
  suite.raw("a client that never answers a ping is reported as 4201", HEARTBEAT, async (stage) => {
    const guest = await stage.connectRaw();
    await guest.expectFrame(Opcode.ping);
    assert.deepEqual(await stage.departures.next(), { socket: guest.socket, code: 4201, reason: "No sign of life" });
  });

  suite.raw("a client that answers pings is kept", HEARTBEAT, async (stage) => {
    const [lively, dead] = [await stage.connectRaw(), await stage.connectRaw()];
    await lively.expectFrame(Opcode.ping);
    lively.frame(Opcode.pong);
    assert.equal((await stage.departures.next())?.socket, dead.socket);
    await lively.expectFrame(Opcode.ping);
    assert.equal(lively.socket.isOpen, true);
  });

  suite.test("a client that does not read loses its heartbeat, one that does is kept", HEARTBEAT, async (stage) => {
    const [lively, dead] = await stage.pair();
    dead.client.pause();
    const departure = await stage.departures.next();
    assert.equal(departure?.socket, dead.socket);
    assert.equal(departure.code, 4201);
    assert.deepEqual(await lively.heard(), []);
  });
}

import assert from "node:assert/strict";
import { ControlEvent } from "../../protocol/packet.ts";
import { closePayload, Opcode } from "../raw-frame.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { ask, connectLibraryClient, sendEvent, nextPacket } from "./library-clients.ts";
import type { Suite } from "./suite.ts";

const PING = { event: ControlEvent.ping };

const HEARTBEAT = { heartbeat: { interval: 250, timeout: 200 } };

/** The heartbeat, which finds clients that are lost. */
export function heartbeatCases(suite: Suite): void {
  suite.raw(
    "a client that never answers a ping is reported as 4201, and gets that close frame",
    HEARTBEAT,
    async (fixture) => {
      const peer = await fixture.connectRaw();
      await peer.expectFrame(Opcode.ping);
      assert.deepEqual(await fixture.departures.next(), { socket: peer.socket, code: 4201, reason: "No sign of life" });
      await peer.expectFrame(Opcode.close, closePayload(4201, "No sign of life"));
      assert.equal(fixture.hub.stats().heartbeatLosses, 1);
    },
  );

  suite.raw("a client that answers pings stays connected", HEARTBEAT, async (fixture) => {
    const [lively, dead] = [await fixture.connectRaw(), await fixture.connectRaw()];
    await lively.expectFrame(Opcode.ping);
    lively.frame(Opcode.pong);
    assert.equal((await fixture.departures.next())?.socket, dead.socket);
    await lively.expectFrame(Opcode.ping);
    assert.equal(lively.socket.isOpen, true);
  });

  suite.raw("a message counts as a sign of life, like a pong", HEARTBEAT, async (fixture) => {
    const [talkative, dead] = [await fixture.connectRaw(), await fixture.connectRaw()];
    fixture.hub.handle("chat", () => {});
    await talkative.expectFrame(Opcode.ping);
    talkative.say({ event: "chat" });
    assert.equal((await fixture.departures.next())?.socket, dead.socket);
    await talkative.expectFrame(Opcode.ping);
    assert.equal(talkative.socket.isOpen, true);
  });

  const libraryTime = new VirtualClock();
  suite.test(
    "library clients get hub:ping, and stay connected only if they answer with hub:pong",
    { ...HEARTBEAT, clock: libraryTime },
    async (fixture) => {
      const [lively, dead] = [await connectLibraryClient(fixture), await connectLibraryClient(fixture)];
      const [kept, lost] = fixture.connected;
      await libraryTime.advance(250);
      assert.deepEqual([await nextPacket(lively), await nextPacket(dead)], [PING, PING]);
      sendEvent(lively, ControlEvent.pong);
      await ask(lively);
      await libraryTime.advance(200);
      assert.deepEqual(fixture.departures.take(), [{ socket: lost, code: 4201, reason: "No sign of life" }]);
      assert.deepEqual(await dead.closed, { code: 4201, reason: "No sign of life" });
      await libraryTime.advance(50);
      assert.deepEqual(await nextPacket(lively), PING);
      assert.deepEqual([...fixture.hub.sockets.values()], [kept]);
    },
  );

  const deafTime = new VirtualClock();
  suite.raw(
    "bytes that the operating system takes for a client are no sign of life of the client",
    { ...HEARTBEAT, clock: deafTime },
    async (fixture) => {
      const [deaf, other] = [await fixture.connectRaw(), await connectLibraryClient(fixture)];
      await deafTime.advance(250);
      deaf.socket.send(new Uint8Array(64 * 1024));
      assert.deepEqual(await nextPacket(other), PING);
      // This request is sent after the message to the deaf client, and its reply comes in a later turn.
      await ask(other);
      await deafTime.advance(200);
      assert.deepEqual(fixture.departures.take(), [{ socket: deaf.socket, code: 4201, reason: "No sign of life" }]);
    },
  );

  suite.test(
    "a client that does not read loses its heartbeat, and one that reads does not",
    HEARTBEAT,
    async (fixture) => {
      const [lively, dead] = await fixture.pair();
      dead.client.pause();
      const departure = await fixture.departures.next();
      assert.equal(departure?.socket, dead.socket);
      assert.equal(departure.code, 4201);
      assert.deepEqual(await lively.heard(), []);
    },
  );
}

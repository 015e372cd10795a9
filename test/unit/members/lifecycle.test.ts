import { describe, expect, test } from "vitest";
import { zeroCounters } from "../../../src/counters.ts";
import type { Codecs } from "../../../src/delivery/codecs.ts";
import { Delivery } from "../../../src/delivery/delivery.ts";
import type { Handshake } from "../../../src/members/handshake.ts";
import { resolveHubOptions } from "../../../src/hub/options.ts";
import { RateLimits } from "../../../src/limits/rate-limits.ts";
import { MemberLifecycle } from "../../../src/members/lifecycle.ts";
import type { Member } from "../../../src/members/member.ts";
import { Members } from "../../../src/members/members.ts";
import type { Requests } from "../../../src/members/requests.ts";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import type { Connection } from "../../../src/transports/transport.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { frameOf, SlowConnection } from "../delivery/slow-connection.ts";
import { RAISING } from "../../support/raising.ts";

const CLOSE = { code: 4005, reason: "Too fast" };

/** Whether the transport can tell a close from an expulsion. */
type Kind = "with expel" | "without expel";

function createMember(kind: Kind): {
  lifecycle: MemberLifecycle;
  delivery: Delivery<Member>;
  member: Member;
  calls: string[];
} {
  const calls: string[] = [];
  const connection: Connection = new SlowConnection();
  const write = connection.write.bind(connection);
  connection.write = (sequence) => {
    calls.push("write");
    return write(sequence);
  };
  connection.close = (code) => void calls.push(`close ${code}`);
  if (kind === "with expel") connection.expel = (code) => void calls.push(`expel ${code}`);
  const counters = zeroCounters();
  const delivery: Delivery<Member> = new Delivery<Member>({
    maxBufferedBytes: 1_000_000,
    multicast: undefined,
    counters,
    report: { ...RAISING, dropped: () => {}, notice: () => undefined, overflow: (slow) => lifecycle.expelSlow(slow) },
  });
  const lifecycle = new MemberLifecycle({
    node: "",
    clock: new VirtualClock(),
    codecs: { of: () => undefined, plain: jsonCodec, joined: () => {}, left: () => {} } as unknown as Codecs,
    counters,
    delivery,
    members: new Members(delivery, undefined),
    rates: new RateLimits(resolveHubOptions({}).limits, new VirtualClock()),
    recorded: undefined,
    requests: { abandon: () => {} } as unknown as Requests<Member>,
    report: {
      departed: () => {},
      entered: () => {},
      exited: () => {},
      dropped: () => {},
      gap: () => {},
      failed: () => {},
    },
  });
  const member = lifecycle.admit(
    connection,
    { handshake: { remoteAddress: "192.0.2.1" } as Handshake, user: undefined },
    0,
  );
  return { lifecycle, delivery, member, calls };
}

describe.each<Kind>(["with expel", "without expel"])("on a transport %s", (kind) => {
  const expelled = kind === "with expel" ? "expel" : "close";

  test("a member that does harm is told what was sent to it, and expelled", () => {
    const { lifecycle, delivery, member, calls } = createMember(kind);
    delivery.send(member, frameOf("warning", 20));
    lifecycle.expelAbusive(member, CLOSE);
    lifecycle.expelAbusive(member, CLOSE);
    expect(calls).toEqual(["write", `${expelled} 4005`]);
    expect(member.open).toBe(false);
  });

  test("a member that is too slow, or lost, is expelled, and told nothing more", () => {
    for (const [end, code] of [
      ["expelSlow", 4101],
      ["expelLost", 4201],
    ] as const) {
      const { lifecycle, delivery, member, calls } = createMember(kind);
      delivery.send(member, frameOf("news", 20));
      lifecycle[end](member);
      expect(calls).toEqual([`${expelled} ${code}`]);
    }
  });

  test("a member that is closed is not expelled", () => {
    const { lifecycle, delivery, member, calls } = createMember(kind);
    delivery.send(member, frameOf("goodbye", 20));
    lifecycle.close(member, { code: 4003, reason: "" });
    lifecycle.expelAbusive(member, CLOSE);
    expect(calls).toEqual(["write", "close 4003"]);
  });
});

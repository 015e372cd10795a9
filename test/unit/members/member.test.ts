import { expect, test } from "vitest";
import type { Handshake } from "../../../src/members/handshake.ts";
import { Member } from "../../../src/members/member.ts";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { SlowConnection } from "../delivery/slow-connection.ts";

/** A connection of a transport that tells how much it has read. */
class ReadingConnection extends SlowConnection {
  bytesRead: number = 0;
}

function createMember(connection: SlowConnection): Member {
  return new Member("ann", connection, jsonCodec, {} as Handshake, undefined);
}

test("a member is sending if 16 KiB were read since it was asked, and not with a byte less", () => {
  const connection = new ReadingConnection();
  const member = createMember(connection);
  for (let question = 0; question < 3; question++) {
    member.asked(0);
    expect(member.isSending).toBe(false);
    connection.bytesRead += 16_383;
    expect(member.isSending).toBe(false);
    connection.bytesRead += 1;
    expect(member.isSending).toBe(true);
  }
});

test("a member is never sending on a transport that does not tell what it reads", () => {
  const member = createMember(new SlowConnection());
  member.asked(0);
  expect(member.isSending).toBe(false);
});

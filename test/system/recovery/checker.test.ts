import type { GapReason } from "roomcast";
import { describe, expect, test } from "vitest";
import { check } from "./checker.ts";
import type { Entry } from "./journal.ts";

const ROOM = "chat:a";

/** A journal of one room that is made by hand. */
class Story {
  readonly entries: Entry[] = [];

  /** Events are sent, each by the same source. */
  sent(...ids: readonly number[]): this {
    for (const id of ids) this.#sent(id);
    return this;
  }

  /** An event is sent that leaves out a socket of a client. */
  sentPast(id: number, client: number, socket: string): this {
    return this.#sent(id, [{ client, socket }]);
  }

  /** An event is sent that leaves out a room in which these clients are. */
  sentPastMembers(id: number, ...clients: readonly number[]): this {
    return this.#sent(id, [], clients);
  }

  recorded(id: number, at: number): this {
    return this.#note({ type: "recorded", id, at });
  }

  fault(...causes: readonly GapReason[]): this {
    return this.#note({ type: "fault", name: "a fault", causes });
  }

  joined(client: number, at: number, epoch = "one", sockets = `s${client}`): this {
    return this.#note({ type: "noticed", client, room: ROOM, position: { stream: `${epoch}.${sockets}`, at } });
  }

  gap(client: number, gap: GapReason, at: number, epoch = "one"): this {
    const position = { stream: `${epoch}.s${client}`, at };
    return this.#note({ type: "noticed", client, room: ROOM, position, gap });
  }

  /** A client hears the event `id` at a place. */
  heard(client: number, id: number, at: number, epoch = "one", sockets = `s${client}`): this {
    return this.#note({ type: "heard", client, room: ROOM, position: { stream: `${epoch}.${sockets}`, at }, id });
  }

  left(client: number): this {
    return this.#note({ type: "leaving", client, room: ROOM }).#note({ type: "left", client, room: ROOM });
  }

  get violations(): readonly string[] {
    return check(this.entries).violations;
  }

  #sent(
    id: number,
    exceptSockets: Extract<Entry, { readonly type: "sent" }>["exceptSockets"] = [],
    exceptMembers: readonly number[] = [],
  ): this {
    return this.#note({ type: "sent", id, room: ROOM, source: "node", exceptSockets, exceptMembers });
  }

  #note(entry: Entry): this {
    this.entries.push(entry);
    return this;
  }
}

describe("a journal in which all is well", () => {
  test.each<[name: string, story: Story]>([
    ["two clients hear everything", new Story().joined(1, 0).joined(2, 0).sent(1, 2).heard(1, 1, 1).heard(2, 1, 1)],
    [
      "a client recovers what it missed",
      new Story().joined(1, 0).joined(2, 0).sent(1, 2).heard(1, 1, 1).heard(1, 2, 2).joined(2, 0).heard(2, 1, 1),
    ],
    [
      "a gap stands for what a client does not get",
      new Story()
        .fault("epoch")
        .joined(1, 0)
        .joined(2, 0)
        .sent(1, 2)
        .heard(1, 1, 1)
        .recorded(2, 2)
        .gap(1, "epoch", 0, "two")
        .gap(2, "epoch", 0, "two"),
    ],
    [
      "what came before the first position is not missing",
      new Story().joined(1, 0).sent(1).heard(1, 1, 1).joined(2, 1),
    ],
    [
      "what came while the client was out is not missing",
      new Story()
        .joined(1, 0)
        .joined(2, 0)
        .left(2)
        .sent(1)
        .heard(1, 1, 1)
        .joined(2, 1)
        .sent(2)
        .heard(1, 2, 2)
        .heard(2, 2, 2)
        .recorded(2, 2),
    ],
    [
      "the record of a room without one begins",
      new Story().joined(1, 0, "none").joined(2, 0).sent(1).heard(2, 1, 1).joined(1, 0).heard(1, 1, 1).recorded(1, 1),
    ],
    [
      "the record of a room without one begins with what leaves out the client",
      new Story()
        .joined(1, 0, "none")
        .joined(2, 0)
        .sentPastMembers(1, 1)
        .sent(2)
        .heard(2, 1, 7)
        .heard(2, 2, 8)
        .joined(1, 7)
        .heard(1, 2, 8)
        .recorded(2, 8),
    ],
    [
      "a client that was let in without the engine comes to the log",
      new Story()
        .fault("unavailable")
        .joined(1, 5)
        .gap(1, "unavailable", 0, "none")
        .gap(1, "epoch", 7)
        .sent(1)
        .heard(1, 1, 8)
        .recorded(1, 8),
    ],
    [
      "an event leaves out a socket that the client had long ago",
      new Story().joined(1, 0, "one", "s5.s4.s3.s2").sentPast(1, 1, "s1").heard(1, 1, 1, "one", "s5.s4.s3.s2"),
    ],
    [
      "a client that an event leaves out does not get it",
      new Story().joined(1, 0).joined(2, 0).sentPast(1, 2, "s2").heard(1, 1, 1).recorded(1, 1).joined(2, 1),
    ],
    [
      "a client comes to a node that does not know the new epoch yet",
      new Story()
        .fault("epoch")
        .joined(1, 0)
        .sent(1, 2)
        .heard(1, 1, 1)
        .gap(1, "epoch", 0, "two")
        .heard(1, 2, 1, "two")
        .gap(1, "epoch", 1)
        .gap(1, "epoch", 1, "two"),
    ],
    [
      "what a client has is not told again in the next epoch",
      new Story()
        .fault("epoch")
        .joined(1, 0)
        .sent(1, 2)
        .heard(1, 1, 1)
        .gap(1, "epoch", 0, "two")
        .joined(2, 0, "two")
        .heard(2, 1, 1, "two")
        .heard(2, 2, 2, "two")
        .heard(1, 2, 2, "two"),
    ],
  ])("%s", (_, story) => {
    expect(story.violations).toEqual([]);
  });

  test("is counted", () => {
    const story = new Story().fault("epoch").joined(1, 0).sent(1, 2).heard(1, 1, 1).gap(1, "epoch", 0, "two");
    const { deliveries, epochs, gaps } = check(story.heard(1, 2, 1, "two").entries);
    expect({ deliveries, epochs, gaps }).toEqual({ deliveries: 2, epochs: 2, gaps: { epoch: 1 } });
  });
});

describe("a fault is found:", () => {
  test.each<[name: string, violation: RegExp, story: Story]>([
    [
      "an event that another client has heard is missing before a later one",
      /^I1: client 2 in chat:a misses event 1, at 1 between 0 and 2$/,
      new Story().joined(1, 0).joined(2, 0).sent(1, 2).heard(1, 1, 1).heard(1, 2, 2).heard(2, 2, 2),
    ],
    [
      "an event is missing before the position of the next connection",
      /^I1: client 2 in chat:a misses event 1/,
      new Story().joined(1, 0).joined(2, 0).sent(1).heard(1, 1, 1).joined(2, 1),
    ],
    [
      "an event is missing behind a gap that does not stand for it",
      /^I1: client 2 in chat:a misses event 1/,
      new Story()
        .fault("epoch")
        .joined(1, 0, "two")
        .joined(2, 0)
        .gap(2, "epoch", 0, "two")
        .sent(1, 2)
        .heard(1, 1, 1, "two")
        .heard(1, 2, 2, "two")
        .heard(2, 2, 2, "two"),
    ],
    [
      "the record of a room without one begins with what a client does not get",
      /^I1: client 1 in chat:a misses event 1/,
      new Story().joined(1, 0, "none").joined(2, 0).sent(1).heard(2, 1, 7).joined(1, 7),
    ],
    [
      "another epoch begins without a gap",
      /^I1: client 1 in chat:a goes on in another epoch/,
      new Story().joined(1, 1).joined(1, 0, "two"),
    ],
    [
      "an event of another epoch comes without a gap",
      /^I1: client 1 in chat:a gets event 1 of another epoch/,
      new Story().joined(1, 0).sent(1).heard(1, 1, 1, "two"),
    ],
    [
      "an event comes without a position",
      /^I1: client 1 in chat:a gets event 1 before/,
      new Story().sent(1).heard(1, 1, 1),
    ],
    [
      "an event comes twice at one place",
      /^I2: client 1 in chat:a gets event 1 twice$/,
      new Story().joined(1, 0).sent(1).heard(1, 1, 1).heard(1, 1, 1),
    ],
    [
      "an event comes behind one that came later",
      /^I2: client 1 in chat:a gets event 1 at 1, and was at 2$/,
      new Story().joined(1, 0).sent(1, 2).heard(1, 2, 2).heard(1, 1, 1),
    ],
    [
      "a position goes back",
      /^I2: client 1 in chat:a is taken back from 2 to 1$/,
      new Story().joined(1, 0).sent(1).heard(1, 1, 2).joined(1, 1),
    ],
    [
      "two events are at one place",
      /^I3: the events 1 and 2 are both at 1/,
      new Story().joined(1, 0).joined(2, 0).sent(1, 2).heard(1, 1, 1).heard(2, 2, 1),
    ],
    [
      "an event is in the record twice",
      /^I3: event 1 of chat:a is at 1 and at 2/,
      new Story().joined(1, 0).joined(2, 1).sent(1).heard(1, 1, 1).heard(2, 1, 2),
    ],
    [
      "two clients hear the epochs in different orders",
      /^I3: the epochs of chat:a follow each other in different orders$/,
      new Story()
        .fault("epoch")
        .sent(1, 2, 3)
        .joined(1, 0)
        .joined(2, 0, "two")
        .heard(1, 1, 1)
        .gap(1, "epoch", 0, "two")
        .heard(2, 2, 1, "two")
        .heard(1, 2, 1, "two")
        .gap(2, "epoch", 0)
        .heard(2, 1, 1),
    ],
    [
      "an epoch comes back",
      /^I3: the epochs of chat:a/,
      new Story()
        .fault("epoch")
        .sent(1, 2, 3)
        .joined(1, 0)
        .heard(1, 1, 1)
        .gap(1, "epoch", 0, "two")
        .heard(1, 2, 1, "two")
        .gap(1, "epoch", 1)
        .heard(1, 3, 2),
    ],
    [
      "a gap has no cause",
      /^I4: client 1 in chat:a .* "epoch"/,
      new Story().fault("hole").joined(1, 0).gap(1, "epoch", 9),
    ],
    [
      "a recorded event is lost",
      /^I5: client 1 in chat:a never gets event 1/,
      new Story().joined(1, 0).sent(1).recorded(1, 1),
    ],
    [
      "an event is lost before a recorded one of the same source",
      /^I5: client 1 in chat:a never gets event 1/,
      new Story().joined(1, 0).sent(1, 2).heard(1, 2, 1).recorded(2, 1),
    ],
    [
      "a recorded event is lost behind a gap",
      /^I5: client 1 in chat:a never gets event 1/,
      new Story().fault("epoch").joined(1, 0).gap(1, "epoch", 0, "two").sent(1).recorded(1, 1),
    ],
    [
      "an event is not where it was recorded",
      /^I5: event 1 was recorded at 2 of chat:a, where event 2 is$/,
      new Story().joined(1, 0).sent(1, 2).heard(1, 1, 1).heard(1, 2, 2).recorded(1, 2),
    ],
    [
      "a client gets an event that leaves out its socket",
      /^I6: client 1 in chat:a gets event 1/,
      new Story().joined(1, 0).sentPast(1, 1, "s1").heard(1, 1, 1),
    ],
    [
      "a client gets an event that left out its last socket",
      /^I6: client 1 in chat:a gets event 1/,
      new Story().joined(1, 0).joined(1, 0, "one", "s2.s1").sentPast(1, 1, "s1").heard(1, 1, 1, "one", "s2.s1"),
    ],
    [
      "a client gets an event that leaves out its room",
      /^I6: client 1 in chat:a gets event 1/,
      new Story().joined(1, 0).sentPastMembers(1, 1).heard(1, 1, 1),
    ],
    [
      "a client gets an event of another room",
      /^client 1 in chat:a gets event 1, which was not sent to the room$/,
      new Story().joined(1, 0).heard(1, 1, 1),
    ],
  ])("%s", (_, violation, story) => {
    const [first, ...others] = story.violations;
    expect(first).toMatch(violation);
    expect(others).toEqual([]);
  });
});

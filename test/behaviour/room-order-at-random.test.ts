import assert from "node:assert/strict";
import type { VirtualClock } from "roomcast/testing";
import { describe, expect, test } from "vitest";
import { openHubFixtureInTime, SUBJECTS } from "../support/hub-fixture.ts";
import { Random } from "../support/random.ts";

/** The longest that a message waits for rooms, in milliseconds. */
const PATIENCE = 10_000;

/** What may be later because messages that wait are looked at once a second. */
const INTERVAL = 1_000;

const FAILURE = new Error("The guard has failed");

/** A room in a request, and what the guard says of it. */
interface Question {
  readonly room: string;
  readonly request: RoomRequest;
  readonly isAllowed: boolean;
  /** The time that the guard takes, in milliseconds; 0 for an answer at once, and `Infinity` for none. */
  readonly delay: number;
  isAsked: boolean;
  isAnswered: boolean;
}

interface RoomRequest {
  readonly isJoin: boolean;
  readonly sentAt: number;
  readonly questions: Question[];
  askedAt?: number;
  /** When the request, and all before it, had taken effect. */
  doneAt?: number;
}

/** A message behind some requests, and what was so when it was handled. */
interface Message {
  readonly sentAt: number;
  readonly behind: readonly RoomRequest[];
  handledAt?: number;
  /** The first request before the message that had not taken effect. */
  undone?: RoomRequest | undefined;
}

/** What the rooms of a socket have to be, and the guard that decides about them. */
class Model {
  readonly requests: RoomRequest[] = [];
  readonly messages: Message[] = [];
  readonly #random: Random;
  readonly #clock: VirtualClock;
  readonly #slowest: number;
  readonly #lost: number;

  constructor(random: Random, clock: VirtualClock) {
    this.#random = random;
    this.#clock = clock;
    this.#slowest = random.pick([500, 5_000, 15_000]);
    this.#lost = random.pick([0, 0, 0.02]);
  }

  ask(): { readonly event: string; readonly data: unknown } {
    const random = this.#random;
    const isJoin = random.chance(0.7);
    const request: RoomRequest = { isJoin, sentAt: this.#clock.now(), questions: [] };
    const names = new Set(Array.from({ length: random.between(1, 5) }, () => `room ${random.between(1, 9)}`));
    for (const room of names) {
      const delay = random.chance(this.#lost) ? Infinity : random.pick([0, 1, random.between(1, this.#slowest)]);
      const isAllowed = random.chance(0.8);
      request.questions.push({ room, request, isAllowed, delay, isAsked: false, isAnswered: false });
    }
    this.requests.push(request);
    const rooms = [...names];
    const data = rooms.length === 1 && random.chance(0.5) ? { room: rooms[0] } : { rooms };
    return { event: isJoin ? "hub:join" : "hub:leave", data };
  }

  say(): { readonly event: string; readonly data: number } {
    this.messages.push({ sentAt: this.#clock.now(), behind: [...this.requests] });
    return { event: "say", data: this.messages.length - 1 };
  }

  readonly joinable = (room: string): boolean | Promise<boolean> => {
    const question = this.#questions().find(({ isAsked }) => !isAsked);
    assert.ok(question?.room === room, `asked about ${room}`);
    question.isAsked = true;
    question.request.askedAt ??= this.#clock.now();
    if (question.delay === 0) return this.#answer(question);
    return new Promise<void>((resolve) => {
      if (question.delay !== Infinity) this.#clock.setTimeout(resolve, question.delay);
    }).then(() => this.#answer(question));
  };

  handle(index: unknown): void {
    const message = this.messages[index as number] as Message;
    assert.equal(message.handledAt, undefined);
    message.handledAt = this.#clock.now();
    message.undone = message.behind.find(({ doneAt }) => doneAt === undefined);
  }

  /** The rooms as they have to be now, in no order. */
  get rooms(): readonly string[] {
    const rooms = new Set<string>();
    for (const { room, request, isAllowed, isAnswered } of this.#questions()) {
      if (!isAnswered) break;
      if (isAllowed && request.isJoin) rooms.add(room);
      else if (isAllowed) rooms.delete(room);
    }
    return [...rooms].toSorted();
  }

  /** Checks that the messages were handled in order, after what they have to wait for, and no later. */
  checkTimes(): void {
    let before = 0;
    for (const { sentAt, behind, handledAt = NaN, undone } of this.messages) {
      assert.ok(handledAt >= before);
      assert.ok(handledAt <= sentAt + PATIENCE + INTERVAL);
      assert.ok(undone === undefined || handledAt - undone.sentAt >= PATIENCE);
      const done = behind.findLast(({ doneAt = Infinity }) => doneAt <= handledAt)?.doneAt ?? 0;
      const patient = undone === undefined ? 0 : (undone.askedAt ?? NaN) + PATIENCE + INTERVAL;
      assert.ok(handledAt <= Math.max(before, sentAt, done + INTERVAL, patient));
      before = handledAt;
    }
  }

  #answer(question: Question): boolean {
    question.isAnswered = true;
    for (const request of this.requests) {
      if (!request.questions.every(({ isAnswered }) => isAnswered)) break;
      request.doneAt ??= this.#clock.now();
    }
    if (!question.isAllowed && this.#random.chance(0.3)) throw FAILURE;
    return question.isAllowed;
  }

  #questions(): readonly Question[] {
    return this.requests.flatMap(({ questions }) => questions);
  }
}

const SEEDS = Array.from({ length: 8 }, (_, seed) => ({ seed }));

describe.each(SUBJECTS)("On $name rooms and messages at random", (subject) => {
  test.each(SEEDS)("keep their order, and lose no message, with the seed $seed", async ({ seed }) => {
    const random = new Random(seed);
    let model: Model | undefined;
    const { fixture, clock } = await openHubFixtureInTime(subject, {
      limits: { violations: { perSecond: 1, burst: 1_000 } },
      joinable: (room) => model?.joinable(room) ?? false,
    });
    model = new Model(random, clock);
    const peer = await fixture.connect();
    const seen: unknown[] = [];
    const checkRooms = (): void => expect([...peer.socket.rooms].toSorted()).toStrictEqual(model?.rooms);
    fixture.hub.handle("say", (index) => {
      seen.push(index);
      model?.handle(index);
      checkRooms();
    });
    for (let step = 1; step <= 60; step++) {
      peer.say(random.chance(0.4) ? model.ask() : model.say());
      await expect.poll(() => fixture.hub.stats().messagesIn, { interval: 1 }).toBe(step);
      if (random.chance(0.5)) await clock.advance(random.pick([10, random.between(1, 1_000), 5_000]));
    }
    await clock.advance(100_000);
    expect(seen).toStrictEqual(model.messages.map((_, index) => index));
    model.checkTimes();
    checkRooms();
    // What the test itself expects of the guard and the handler is reported, too, where it is not so.
    expect(fixture.failures.take().filter(({ error }) => error !== FAILURE)).toStrictEqual([]);
    expect(fixture.hub.stats()).toMatchObject({ waitingBytes: 0, connections: 1 });
  });
});

import assert from "node:assert/strict";
import type { HubOptions } from "../../hub/options.ts";
import type { TransportSettings } from "../../transports/transport.ts";
import type { TransportSubject } from "../transport-subject.ts";
import { TransportFixture } from "./transport-fixture.ts";
import { HubFixture } from "./hub-fixture.ts";
import { Wire } from "./wire.ts";

/** What the suite needs of a test runner: `node:test`, Vitest, Mocha and Jest all have it. */
export interface SuiteRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

/** Declares tests, and for each sets up what it runs on and clears it away. */
export class Suite {
  readonly #runner: SuiteRunner;
  readonly #subject: TransportSubject;
  /** The tests of this group that do not apply to the subject, by the reason. */
  readonly #leftOut = new Map<string, string[]>();

  constructor(runner: SuiteRunner, subject: TransportSubject) {
    this.#runner = runner;
    this.#subject = subject;
  }

  group(name: string, cases: (suite: Suite) => void): void {
    this.#runner.describe(name, () => {
      this.#leftOut.clear();
      cases(this);
      this.#sayWhatIsLeftOut();
    });
  }

  /** A test with a hub. By default it neither greets nor pings, so that clients get what the test sends and no more. */
  test(name: string, body: (fixture: HubFixture) => Promise<void>): void;
  test(name: string, options: HubOptions, body: (fixture: HubFixture) => Promise<void>): void;
  test(name: string, ...rest: [HubBody] | [HubOptions, HubBody]): void {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.#runner.it(name, async () => {
      await perform(await HubFixture.open(this.#subject, options), body);
    });
  }

  /** A test with a hub and clients that send bytes. */
  raw(name: string, body: (fixture: HubFixture) => Promise<void>): void;
  raw(name: string, options: HubOptions, body: (fixture: HubFixture) => Promise<void>): void;
  raw(name: string, ...rest: [HubBody] | [HubOptions, HubBody]): void {
    if (this.#hasBytes) this.test(name, ...(rest as [HubOptions, HubBody]));
    else this.#leaveOut(NO_BYTES, name);
  }

  /** A test with a hub whose clients send what no codec writes, as the text of JSON. */
  json(name: string, body: (fixture: HubFixture) => Promise<void>): void {
    if (this.#isJson) this.test(name, body);
    else this.#leaveOut(NO_JSON, name);
  }

  /** A test of the transport alone, with handlers in the hub's place. */
  seam(name: string, body: (fixture: TransportFixture) => Promise<void>): void;
  seam(name: string, settings: Partial<TransportSettings>, body: (fixture: TransportFixture) => Promise<void>): void;
  seam(name: string, ...rest: [TransportBody] | [Partial<TransportSettings>, TransportBody]): void {
    const [settings, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.#runner.it(name, async () => {
      await perform(await TransportFixture.open(this.#subject, settings), body);
    });
  }

  /** A test of the transport alone, with clients that send bytes. */
  rawSeam(name: string, body: (fixture: TransportFixture) => Promise<void>): void {
    if (this.#hasBytes) this.seam(name, body);
    else this.#leaveOut(NO_BYTES, name);
  }

  /** A test of the transport alone, with frames that a client sends before it was answered. */
  earlyFrames(name: string, body: (fixture: TransportFixture) => Promise<void>): void {
    if (this.#subject.takesEarlyFrames === true) this.rawSeam(name, body);
    else this.#leaveOut(NO_EARLY_FRAMES, name);
  }

  get #hasBytes(): boolean {
    return this.#subject.connectRaw !== undefined;
  }

  get #isJson(): boolean {
    return new Wire(this.#subject.codec).isJson;
  }

  #leaveOut(reason: string, name: string): void {
    this.#leftOut.set(reason, [...(this.#leftOut.get(reason) ?? []), name]);
  }

  /** Nothing is left out silently: a test says in its name what does not apply, and why. */
  #sayWhatIsLeftOut(): void {
    const { name, takesEarlyFrames } = this.#subject;
    const appliesAll = this.#hasBytes && takesEarlyFrames === true && this.#isJson;
    for (const [reason, names] of this.#leftOut) {
      this.#runner.it(`does not apply, because ${name} ${reason}: ${names.join("; ")}`, async () => {
        assert.ok(!appliesAll);
      });
    }
  }
}

async function perform<S extends { close(): Promise<void> }>(
  fixture: S,
  body: (fixture: S) => Promise<void>,
): Promise<void> {
  // A hub's timers keep no process alive, and a transport without a network has nothing that does.
  const alive = setInterval(() => {}, HOUR);
  try {
    await body(fixture);
  } finally {
    await fixture.close();
    clearInterval(alive);
  }
}

/** In milliseconds: longer than any test. */
const HOUR = 3_600_000;

const NO_BYTES = "has no raw clients";
const NO_JSON = "speaks another codec than JSON";
const NO_EARLY_FRAMES = "takes no frames before the handshake is answered";

type HubBody = (fixture: HubFixture) => Promise<void>;
type TransportBody = (fixture: TransportFixture) => Promise<void>;

import assert from "node:assert/strict";
import type { HubOptions } from "../../hub/options.ts";
import type { TransportSettings } from "../../transports/transport.ts";
import type { TransportSubject } from "../transport-subject.ts";
import { TransportFixture } from "./transport-fixture.ts";
import { HubFixture } from "./hub-fixture.ts";
import { Wire } from "./wire.ts";

/** The functions of a test runner that the suites need. `node:test`, Vitest, Mocha and Jest have them. */
export interface SuiteRunner {
  /** Declares a group of tests. */
  describe(name: string, body: () => void): unknown;
  /** Declares a test. */
  it(name: string, body: () => Promise<void>): unknown;
}

/** Declares tests of a transport. Each test gets a fixture of its own, which is closed afterwards. */
export class Suite {
  readonly #runner: SuiteRunner;
  readonly #subject: TransportSubject;
  /** The names of this group's tests that do not apply to the subject, by the reason. */
  readonly #leftOut = new Map<string, string[]>();

  constructor(runner: SuiteRunner, subject: TransportSubject) {
    this.#runner = runner;
    this.#subject = subject;
  }

  /** Declares a group of tests. */
  group(name: string, cases: (suite: Suite) => void): void {
    this.#runner.describe(name, () => {
      this.#leftOut.clear();
      cases(this);
      this.#sayWhatIsLeftOut();
    });
  }

  /** Declares a test with a hub. By default the hub sends neither hub:welcome nor pings, only what the test sends. */
  test(name: string, body: (fixture: HubFixture) => Promise<void>): void;
  test(name: string, options: HubOptions, body: (fixture: HubFixture) => Promise<void>): void;
  test(name: string, ...rest: [HubBody] | [HubOptions, HubBody]): void {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.#runner.it(name, async () => {
      await perform(await HubFixture.open(this.#subject, options), body);
    });
  }

  /** Declares a test with a hub and raw clients. */
  raw(name: string, body: (fixture: HubFixture) => Promise<void>): void;
  raw(name: string, options: HubOptions, body: (fixture: HubFixture) => Promise<void>): void;
  raw(name: string, ...rest: [HubBody] | [HubOptions, HubBody]): void {
    if (this.#hasBytes) this.test(name, ...(rest as [HubOptions, HubBody]));
    else this.#leaveOut(NO_BYTES, name);
  }

  /** Declares a test with a hub whose clients write JSON text themselves. */
  json(name: string, body: (fixture: HubFixture) => Promise<void>): void {
    if (this.#isJson) this.test(name, body);
    else this.#leaveOut(NO_JSON, name);
  }

  /** Declares a test of the transport alone, without a hub. */
  seam(name: string, body: (fixture: TransportFixture) => Promise<void>): void;
  seam(name: string, settings: Partial<TransportSettings>, body: (fixture: TransportFixture) => Promise<void>): void;
  seam(name: string, ...rest: [TransportBody] | [Partial<TransportSettings>, TransportBody]): void {
    const [settings, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.#runner.it(name, async () => {
      await perform(await TransportFixture.open(this.#subject, settings), body);
    });
  }

  /** Declares a test of the transport alone with raw clients. */
  rawSeam(name: string, body: (fixture: TransportFixture) => Promise<void>): void {
    if (this.#hasBytes) this.seam(name, body);
    else this.#leaveOut(NO_BYTES, name);
  }

  /** Declares a test of the transport alone with frames that a client sends before its handshake is answered. */
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

  /** Declares tests whose names say which tests do not apply, and why: nothing is left out silently. */
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
  // The timers of a hub do not keep the process alive, and a transport without a network has nothing else that does.
  const alive = setInterval(() => {}, HOUR);
  try {
    await body(fixture);
  } finally {
    await fixture.close();
    clearInterval(alive);
  }
}

/** An hour in milliseconds, which is longer than any test. */
const HOUR = 3_600_000;

const NO_BYTES = "has no raw clients";
const NO_JSON = "speaks another codec than JSON";
const NO_EARLY_FRAMES = "takes no frames before the handshake is answered";

type HubBody = (fixture: HubFixture) => Promise<void>;
type TransportBody = (fixture: TransportFixture) => Promise<void>;

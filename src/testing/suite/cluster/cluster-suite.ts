import assert from "node:assert/strict";
import type { Backplane } from "../../../backplanes/backplane.ts";
import type { HubOptions } from "../../../hub/options.ts";
import type { BackplaneSubject } from "../../backplane-subject.ts";
import type { TransportSubject } from "../../transport-subject.ts";
import type { SuiteRunner } from "../suite.ts";
import { ClusterFixture } from "./cluster-fixture.ts";
import { LogFixture } from "./log-fixture.ts";

type Body = (fixture: ClusterFixture) => Promise<void>;

let scopes = 0;

const THREE = ["one", "two", "three"];

/** Declares tests of a backplane. Each test gets several hubs of its own, which are closed afterwards. */
export class ClusterSuite {
  readonly subject: BackplaneSubject;
  readonly #runner: SuiteRunner;
  readonly #transports: readonly TransportSubject[];

  constructor(runner: SuiteRunner, subject: BackplaneSubject, transports: readonly TransportSubject[]) {
    this.#runner = runner;
    this.subject = subject;
    this.#transports = transports;
  }

  /** Declares a group of tests. */
  group(name: string, cases: (suite: ClusterSuite) => void): void {
    this.#runner.describe(name, () => cases(this));
  }

  /** Declares a test with three hubs. */
  test(name: string, body: Body): void;
  test(name: string, options: HubOptions, body: Body): void;
  test(name: string, ...rest: [Body] | [HubOptions, Body]): void {
    const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
    this.many(name, THREE, options, body);
  }

  /** Declares a test with a hub for each name. */
  many(name: string, names: readonly string[], options: HubOptions, body: Body): void {
    this.#runner.it(name, async () => {
      const fixture = await ClusterFixture.open(this.subject, this.#transports, names, options);
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    });
  }

  /** Declares a test with three hubs that record rooms. */
  recorded(name: string, options: HubOptions, body: Body): void {
    if (this.subject.hasLog === true) this.test(name, options, body);
    else this.#doesNotApply(name);
  }

  /** Declares a test of the logs of the engine, with three backplanes that have subscribed to a channel. */
  log(name: string, channel: string, body: (fixture: LogFixture) => Promise<void>): void {
    const { subject } = this;
    const createAll = (): (() => Backplane) => {
      const scope = `log${process.pid}x${++scopes}`;
      return () => subject.create(scope);
    };
    if (subject.hasLog !== true) {
      this.#doesNotApply(name);
      return;
    }
    this.#runner.it(name, async () => {
      const fixture = await LogFixture.open(createAll(), channel, THREE.length);
      try {
        await body(fixture);
      } finally {
        await fixture.close();
      }
    });
  }

  #doesNotApply(name: string): void {
    const { subject } = this;
    this.#runner.it(`does not apply, because ${subject.name} keeps no log: ${name}`, async () => {
      assert.equal(subject.create(`log${process.pid}x${++scopes}`).log, undefined);
    });
  }

  /** Declares a test that breaks the engine. */
  outage(name: string, options: HubOptions, body: (fixture: ClusterFixture, outage: Outage) => Promise<void>): void {
    const { outage } = this.subject;
    if (outage === undefined) {
      // Nothing is left out silently: the name of a test says what does not apply.
      this.#runner.it(`does not apply, because ${this.subject.name} cannot be broken: ${name}`, async () => {
        assert.equal(this.subject.outage, undefined);
      });
      return;
    }
    this.test(name, options, async (fixture) => {
      let isBroken = false;
      const guarded: Outage = {
        begin: async () => {
          isBroken = true;
          await outage.begin();
        },
        end: async () => {
          await outage.end();
          isBroken = false;
        },
      };
      try {
        await body(fixture, guarded);
      } finally {
        if (isBroken) await outage.end();
      }
    });
  }
}

type Outage = NonNullable<BackplaneSubject["outage"]>;

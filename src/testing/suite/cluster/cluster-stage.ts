import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backplane } from "../../../backplanes/backplane.ts";
import type { Hub } from "../../../hub/hub.ts";
import type { HubOptions } from "../../../hub/options.ts";
import type { BackplaneSubject } from "../../backplane-subject.ts";
import type { SuiteConnectOptions } from "../../suite-client.ts";
import type { TransportSubject } from "../../transport-subject.ts";
import type { Guest } from "../guest.ts";
import { Stage } from "../stage.ts";

/** By which the nodes see that what was sent before has arrived. */
const FENCE = "suite:fence";

/** How long a test waits for what has to happen, and how often it looks, in milliseconds. */
const PATIENCE = 20_000;
const STEP = 5;

/** What is behind a fence in an engine that keeps no order between channels, at the most, in milliseconds. */
const STRAY = 150;

let scopes = 0;

/** Several hubs on one engine, and their clients. */
export class ClusterStage {
  /** One for each hub. */
  readonly stages: readonly Stage[];
  /** Another way to the same engine. */
  readonly createBackplane: () => Backplane;
  readonly #isOrdered: boolean;
  #fences = 0;

  /** Opens as many hubs as there are names; each has one of the transports, in turn, and knows all others. */
  static async open(
    subject: BackplaneSubject,
    transports: readonly TransportSubject[],
    names: readonly string[],
    options: HubOptions,
  ): Promise<ClusterStage> {
    const scope = `suite${process.pid}x${++scopes}`;
    const stages = await Promise.all(
      names.map((name, index) => {
        return Stage.open(transports[index % transports.length] as TransportSubject, {
          ...options,
          backplane: subject.create(scope),
          cluster: { grace: 50, ...options.cluster, name },
        });
      }),
    );
    const stage = new ClusterStage(stages, () => subject.create(scope));
    await stage.assembled();
    return stage;
  }

  private constructor(stages: readonly Stage[], createBackplane: () => Backplane) {
    this.stages = stages;
    this.createBackplane = createBackplane;
    this.#isOrdered = createBackplane().ordered;
  }

  get hubs(): readonly Hub[] {
    return this.stages.map(({ hub }) => hub);
  }

  hub(index: number): Hub {
    const stage = this.stages[index];
    assert.ok(stage !== undefined);
    return stage.hub;
  }

  /** Connects a client to the hub with this index. */
  connect(index: number, options?: SuiteConnectOptions): Promise<Guest> {
    const stage = this.stages[index];
    assert.ok(stage !== undefined);
    return stage.connect(options);
  }

  /** Connects a client to each hub; they are in these rooms when it resolves, and heard by all. */
  async guests(...rooms: readonly (readonly string[])[]): Promise<Guest[]> {
    const guests = await Promise.all(this.stages.map((stage) => stage.connect()));
    for (const [index, guest] of guests.entries()) guest.socket.join(rooms[index] ?? []);
    await this.synced();
    return guests;
  }

  /** Every hub hears all that it has joined. */
  async synced(): Promise<void> {
    await Promise.all(this.hubs.map((hub) => hub.synced()));
  }

  /** Every hub knows all others. */
  async assembled(): Promise<void> {
    await until("all nodes know each other", () => {
      return this.hubs.every((hub) => hub.backplaneState === "connected" && hub.nodes.length >= this.stages.length - 1);
    });
    await this.synced();
  }

  /** What any hub has sent until now has arrived at all others. */
  async settled(): Promise<void> {
    const fence = ++this.#fences;
    let missing = this.stages.length * (this.stages.length - 1);
    const removers = this.hubs.map((hub) =>
      hub.onNode(FENCE, (data) => {
        if (data === fence) missing--;
      }),
    );
    // With it what waits for the end of the turn has been handed over.
    for (const hub of this.hubs) hub.emitToNodes(FENCE, fence);
    await until("all fences have arrived", () => missing <= 0);
    for (const remove of removers) remove();
    if (!this.#isOrdered) await sleep(STRAY);
  }

  /** What each of the guests was sent until now, from wherever. */
  async heard(guests: readonly Guest[]): Promise<unknown[]> {
    await this.settled();
    return Promise.all(guests.map((guest) => guest.heard()));
  }

  /** The errors that the hub has reported and that were not looked at yet. */
  failures(index: number): unknown[] {
    return this.stages[index]?.failures.take().map(({ error }) => error) ?? [];
  }

  async close(): Promise<void> {
    await Promise.all(this.stages.map((stage) => stage.close()));
  }
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!isSo()) {
    assert.ok(Date.now() < end, `In ${PATIENCE} ms it did not come about that ${what}.`);
    await sleep(STEP);
  }
}

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Backplane } from "../../../backplanes/backplane.ts";
import type { Hub } from "../../../hub/hub.ts";
import type { HubOptions } from "../../../hub/options.ts";
import type { BackplaneSubject } from "../../backplane-subject.ts";
import type { SuiteConnectOptions } from "../../suite-client.ts";
import type { TransportSubject } from "../../transport-subject.ts";
import type { ClientFixture } from "../client-fixture.ts";
import { HubFixture } from "../hub-fixture.ts";

/** By which the nodes see that what was sent before has arrived. */
const FENCE = "suite:fence";

/** How long a test waits for what has to happen, and how often it looks, in milliseconds. */
const PATIENCE = 20_000;
const STEP = 5;

/** What is behind a fence in an engine that keeps no order between channels, at the most, in milliseconds. */
const STRAY = 150;

let scopes = 0;

/** Several hubs on one engine, and their clients. */
export class ClusterFixture {
  /** One for each hub. */
  readonly fixtures: readonly HubFixture[];
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
  ): Promise<ClusterFixture> {
    const scope = `suite${process.pid}x${++scopes}`;
    const fixtures = await Promise.all(
      names.map((name, index) => {
        return HubFixture.open(transports[index % transports.length] as TransportSubject, {
          ...options,
          backplane: subject.create(scope),
          cluster: { grace: 50, ...options.cluster, name },
        });
      }),
    );
    const fixture = new ClusterFixture(fixtures, () => subject.create(scope));
    await fixture.assembled();
    return fixture;
  }

  private constructor(fixtures: readonly HubFixture[], createBackplane: () => Backplane) {
    this.fixtures = fixtures;
    this.createBackplane = createBackplane;
    this.#isOrdered = createBackplane().ordered;
  }

  get hubs(): readonly Hub[] {
    return this.fixtures.map(({ hub }) => hub);
  }

  hub(index: number): Hub {
    const fixture = this.fixtures[index];
    assert.ok(fixture !== undefined);
    return fixture.hub;
  }

  /** Connects a client to the hub with this index. */
  connect(index: number, options?: SuiteConnectOptions): Promise<ClientFixture> {
    const fixture = this.fixtures[index];
    assert.ok(fixture !== undefined);
    return fixture.connect(options);
  }

  /** Connects a client to each hub; they are in these rooms when it resolves, and heard by all. */
  async connectAll(...rooms: readonly (readonly string[])[]): Promise<ClientFixture[]> {
    const peers = await Promise.all(this.fixtures.map((fixture) => fixture.connect()));
    for (const [index, peer] of peers.entries()) peer.socket.join(rooms[index] ?? []);
    await this.synced();
    return peers;
  }

  /** Every hub hears all that it has joined. */
  async synced(): Promise<void> {
    await Promise.all(this.hubs.map((hub) => hub.synced()));
  }

  /** Every hub knows all others. */
  async assembled(): Promise<void> {
    await until("all nodes know each other", () => {
      return this.hubs.every(
        (hub) => hub.backplaneState === "connected" && hub.nodes.length >= this.fixtures.length - 1,
      );
    });
    await this.synced();
  }

  /** What any hub has sent until now has arrived at all others. */
  async settled(): Promise<void> {
    const fence = ++this.#fences;
    let missing = this.fixtures.length * (this.fixtures.length - 1);
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

  /** What each of the peers was sent until now, from wherever. */
  async heard(peers: readonly ClientFixture[]): Promise<unknown[]> {
    await this.settled();
    return Promise.all(peers.map((peer) => peer.heard()));
  }

  /** The errors that the hub has reported and that were not looked at yet. */
  failures(index: number): unknown[] {
    return this.fixtures[index]?.failures.take().map(({ error }) => error) ?? [];
  }

  async close(): Promise<void> {
    await Promise.all(this.fixtures.map((fixture) => fixture.close()));
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

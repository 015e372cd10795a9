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
import { Transit } from "./transit.ts";

/** The node message that shows that everything sent before it was handed to the engine. */
const FENCE = "suite:fence";

// The time that a test waits for something to happen, and the interval at which it checks, in milliseconds.
const PATIENCE = 20_000;
const STEP = 5;

let scopes = 0;

/** Several hubs on one engine, and their clients. */
export class ClusterFixture {
  /** The hubs and their own clients, one fixture for each hub. */
  readonly fixtures: readonly HubFixture[];
  /** Creates another backplane on the same engine. */
  readonly createBackplane: () => Backplane;
  /** Whether messages of one node on several channels arrive in order. */
  readonly isOrdered: boolean;
  readonly #transit: Transit;
  #fences = 0;

  /** Opens a hub for each name, on the transports in turn, and waits until all hubs know each other. */
  static async open(
    subject: BackplaneSubject,
    transports: readonly TransportSubject[],
    names: readonly string[],
    options: HubOptions,
  ): Promise<ClusterFixture> {
    const scope = `suite${process.pid}x${++scopes}`;
    const transit = new Transit();
    const createBackplane = (): Backplane => transit.watch(subject.create(scope));
    const fixtures = await Promise.all(
      names.map((name, index) => {
        return HubFixture.open(transports[index % transports.length] as TransportSubject, {
          ...options,
          backplane: createBackplane(),
          cluster: { grace: 50, ...options.cluster, name },
        });
      }),
    );
    const fixture = new ClusterFixture(fixtures, createBackplane, transit);
    await fixture.assembled();
    return fixture;
  }

  private constructor(fixtures: readonly HubFixture[], createBackplane: () => Backplane, transit: Transit) {
    this.fixtures = fixtures;
    this.createBackplane = createBackplane;
    this.#transit = transit;
    this.isOrdered = createBackplane().ordered;
  }

  get hubs(): readonly Hub[] {
    return this.fixtures.map(({ hub }) => hub);
  }

  /** The hub with this index. */
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

  /**
   * Connects a client to each hub, joins each client to its rooms, and waits until the hubs are synced.
   *
   * @param rooms - the rooms of the first client, of the second, and so on.
   */
  async connectAll(...rooms: readonly (readonly string[])[]): Promise<ClientFixture[]> {
    const peers = await Promise.all(this.fixtures.map((fixture) => fixture.connect()));
    for (const [index, peer] of peers.entries()) peer.socket.join(rooms[index] ?? []);
    await this.synced();
    return peers;
  }

  /** Waits until every hub receives the messages of all its rooms. */
  async synced(): Promise<void> {
    await Promise.all(this.hubs.map((hub) => hub.synced()));
  }

  /** Waits until every hub knows all others. */
  async assembled(): Promise<void> {
    await until("all nodes know each other", () => {
      return this.hubs.every(
        (hub) => hub.backplaneState === "connected" && hub.nodes.length >= this.fixtures.length - 1,
      );
    });
    await this.synced();
  }

  /** Waits until everything that any hub has sent has arrived at all others. */
  async settled(): Promise<void> {
    const fence = ++this.#fences;
    let missing = this.fixtures.length * (this.fixtures.length - 1);
    const removers = this.hubs.map((hub) =>
      hub.onNode(FENCE, (data) => {
        if (data === fence) missing--;
      }),
    );
    // Sending a node message also hands over everything that waits for the end of the turn.
    for (const hub of this.hubs) hub.emitToNodes(FENCE, fence);
    await until("all fences have arrived", () => missing <= 0);
    for (const remove of removers) remove();
    // An engine that keeps no order between channels may hand over messages of others later.
    await until("everything has arrived", () => this.#transit.isOver);
  }

  /** Waits for all messages that any hub has sent to each of the peers until now. */
  async heard(peers: readonly ClientFixture[]): Promise<unknown[]> {
    await this.settled();
    return Promise.all(peers.map((peer) => peer.heard()));
  }

  /** Takes the errors that the hub with this index has reported since the last call. */
  failures(index: number): unknown[] {
    return this.fixtures[index]?.failures.take().map(({ error }) => error) ?? [];
  }

  /** Closes all hubs and their clients. */
  async close(): Promise<void> {
    await Promise.all(this.fixtures.map((fixture) => fixture.close()));
  }
}

/**
 * Waits until a condition is true.
 *
 * @param what - the condition in words.
 */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!(await isSo())) {
    assert.ok(performance.now() < end, `Within ${PATIENCE} ms this did not happen: ${what}.`);
    await sleep(STEP);
  }
}

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Backplane, BackplaneLog, LogEntry, LogRecord } from "../../../backplanes/backplane.ts";
import { until } from "./cluster-fixture.ts";

/** A backplane without a hub, and what it has heard. */
export class LogNode {
  readonly backplane: Backplane;
  readonly log: BackplaneLog;
  readonly heard: LogRecord[] = [];
  /** What was published without a place in the log. */
  readonly messages: Uint8Array[] = [];
  isUp = false;
  outages = 0;
  readonly #origin: string;
  #number = 0;

  constructor(backplane: Backplane, origin: string) {
    assert.ok(backplane.log !== undefined);
    this.backplane = backplane;
    this.log = backplane.log;
    this.#origin = origin;
    backplane.start({
      message: (_channel, envelope) => this.messages.push(envelope),
      recorded: (_channel, record) => this.heard.push(record),
      up: () => (this.isUp = true),
      refused: (_channel, error) => assert.fail(error as Error),
      down: () => {
        this.isUp = false;
        this.outages++;
      },
    });
  }

  /** Makes the next entry of this node. */
  entry(text: string): LogEntry {
    return { origin: this.#origin, number: ++this.#number, envelope: Buffer.from(text) };
  }
}

/** Several backplanes on one engine, without hubs. */
export class LogFixture {
  readonly nodes: readonly LogNode[];

  /** Starts so many backplanes, each of which has subscribed to the channel. */
  static async open(create: () => Backplane, channel: string, count: number): Promise<LogFixture> {
    const fixture = new LogFixture(
      Array.from({ length: count }, (_, index) => new LogNode(create(), `origin${index}`)),
    );
    await until("all are connected", () => fixture.nodes.every(({ isUp }) => isUp));
    await Promise.all(fixture.nodes.map(({ backplane }) => backplane.subscribe(channel)));
    return fixture;
  }

  private constructor(nodes: readonly LogNode[]) {
    this.nodes = nodes;
  }

  /** The node with this index. */
  node(index: number): LogNode {
    const node = this.nodes[index];
    assert.ok(node !== undefined);
    return node;
  }

  /** Waits until every node has heard so many entries. */
  async heard(count: number): Promise<void> {
    await until(`all have heard ${count} entries`, () => this.nodes.every(({ heard }) => heard.length >= count));
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map(({ backplane }) => backplane.close()));
  }
}

/** Returns the texts of entries; `"hole"` for a hole. */
export function textsOf(records: readonly LogEntry[]): readonly string[] {
  return records.map(({ envelope, hole }) => (hole === true ? "hole" : Buffer.from(envelope).toString()));
}

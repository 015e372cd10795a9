import type { TemplatedApp } from "uWebSockets.js";
import type { Connection, FrameSequence, Topics } from "../transport.ts";
import type { UwsConnection } from "./connection.ts";

// The library gathers so many messages, and so many bytes, for a subscriber before it writes.
const MAX_FRAMES = 32;
const MAX_BYTES = 16 * 1024;

/** The number of members below which sending to them one by one is as fast. */
const LEAST_MEMBERS = 16;

let instances = 0;

/** The topics of one hub on an app. */
export class UwsTopics implements Topics {
  /** A prefix of the names: topics belong to the app, which several hubs may share. */
  readonly #prefix = `roomcast ${++instances}: `;
  #app: TemplatedApp | undefined;
  /** The connections that hold something back. What is published would overtake it, even between two fragments. */
  readonly holding: Set<UwsConnection> = new Set();

  /** Infinite without an app: nothing can be published then, and no subscription is worth its cost. */
  get leastMembers(): number {
    return this.#app === undefined ? Number.POSITIVE_INFINITY : LEAST_MEMBERS;
  }

  /** Publishes on an app from now on. Before that, {@link publish} leaves all frames to be written one by one. */
  use(app: TemplatedApp): void {
    this.#app = app;
  }

  subscribe(connection: Connection, topic: string): void {
    (connection as UwsConnection).subscribe(this.#prefix + topic);
  }

  unsubscribe(connection: Connection, topic: string): void {
    (connection as UwsConnection).unsubscribe(this.#prefix + topic);
  }

  publish(
    topic: string,
    { frames, byteLength }: FrameSequence,
    without?: readonly (Connection | undefined)[],
  ): boolean {
    const app = this.#app;
    if (app === undefined || frames.length > MAX_FRAMES || byteLength > MAX_BYTES) return false;
    const name = this.#prefix + topic;
    for (const connection of this.holding) if (connection.isSubscribed(name)) return false;
    frames.forEach((frame, index) => {
      const absent = without?.[index] as UwsConnection | undefined;
      if (absent?.publish(name, frame) !== true) app.publish(name, frame.payload, frame.binary, false);
    });
    return true;
  }
}

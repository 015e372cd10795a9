import { jsonCodec } from "roomcast";
import { msgpackCodec } from "roomcast/msgpack";
import { WellBehavedClient } from "./well-behaved-client.ts";
import type { HubName } from "./server/messages.ts";

const CODECS = { plain: undefined, JSON: jsonCodec, packed: msgpackCodec } as const;

/** The well-behaved clients of a server: one of each kind on each hub. */
export class WellBehavedClients {
  readonly #all: readonly (readonly [HubName, WellBehavedClient])[];

  static async gather(ports: Readonly<Record<HubName, number>>): Promise<WellBehavedClients> {
    const joining = Object.entries(ports).flatMap(([hub, port]) => {
      return Object.entries(CODECS).map(async ([kind, codec]) => {
        return [hub as HubName, await WellBehavedClient.join(port, `${kind} client of ${hub}`, codec)] as const;
      });
    });
    return new WellBehavedClients(await Promise.all(joining));
  }

  private constructor(all: readonly (readonly [HubName, WellBehavedClient])[]) {
    this.#all = all;
  }

  /** What was not as it should be. */
  get complaints(): readonly string[] {
    return this.#all.flatMap(([, { complaints }]) => complaints);
  }

  /** Resolves when everybody has the last number of the hub, and all replies. */
  async finish(last: Readonly<Record<HubName, number>>): Promise<void> {
    await Promise.all(this.#all.map(([hub, client]) => client.finish(last[hub])));
  }

  leave(): void {
    for (const [, client] of this.#all) client.leave();
  }
}

import type { Backplane } from "../../../backplanes/backplane.ts";
import { encodeBundle, encodeControl, type Control } from "../../../cluster/envelope.ts";
import { ALL_NODES } from "../../../cluster/channels.ts";
import { until, type ClusterFixture } from "./cluster-fixture.ts";

/** The id of a node that announces itself and then stays silent. */
export const SILENT_NODE = "silentnode";

/** Connects a backplane that belongs to no hub. */
export async function startForeign(fixture: ClusterFixture): Promise<Backplane> {
  const backplane = fixture.createBackplane();
  await new Promise<void>((resolve, reject) => {
    backplane.start({
      message: () => {},
      up: () => resolve(),
      refused: (_channel, error) => reject(error),
      down: reject,
    });
  });
  return backplane;
}

/**
 * Adds a node that announces itself and then stays silent.
 *
 * @returns a function that removes it.
 */
export async function addSilentNode(fixture: ClusterFixture): Promise<() => Promise<void>> {
  const backplane = await startForeign(fixture);
  const alive: Control = { type: "alive", name: "mute", asks: false };
  await backplane.publish(ALL_NODES, encodeBundle(SILENT_NODE, [encodeControl(alive)]));
  await until("the silent node is known", () =>
    fixture.hubs.every(({ nodes }) => nodes.some(({ id }) => id === SILENT_NODE)),
  );
  return () => backplane.close();
}

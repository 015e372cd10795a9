import { isDeepStrictEqual } from "node:util";
import type { RawClient } from "../../../src/testing/raw-client.ts";
import type { Case, Ending } from "./case.ts";
import { Peer, type Heard } from "./peer.ts";

/** What became of a case, the best first. */
export const BEHAVIOURS = ["ok", "non-strict", "unimplemented", "failed"] as const;

type Behaviour = (typeof BEHAVIOURS)[number];

export interface Verdict {
  readonly name: string;
  readonly behaviour: Behaviour;
  /** What the client saw, if that is not what it has to. */
  readonly seen: string;
}

/** The time that a case may take on a busy machine, in milliseconds, unless it has very many messages. */
const PATIENCE = process.env["RFC6455_MESSAGES"] === undefined ? 120_000 : 1_200_000;

/** The number of cases that are played at once. */
const AT_ONCE = 16;

/** Plays cases side by side, and returns what became of each, in their order. */
export async function playAll(cases: readonly Case[], dial: (wanted: Case) => Promise<RawClient>): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const waiting = cases.entries();
  const playOn = async (): Promise<void> => {
    for (const [index, wanted] of waiting) {
      // oxlint-disable-next-line no-await-in-loop -- others play beside it
      verdicts[index] = await play(wanted, await dial(wanted));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, playOn));
  return verdicts;
}

/** Plays a case with a client that has connected. */
async function play(wanted: Case, raw: RawClient): Promise<Verdict> {
  const { name, offer } = wanted;
  let peer: Peer;
  try {
    peer = await Peer.open(raw, offer);
  } catch (error) {
    raw.vanish();
    return { name, behaviour: "failed", seen: String(error) };
  }
  const isDeclined = offer !== undefined && !peer.isCompressed;
  const cut = setTimeout(() => peer.cut(), PATIENCE);
  if (isDeclined) peer.close(1000);
  else await perform(wanted, peer);
  await peer.ended;
  clearTimeout(cut);
  return { name, ...judge(wanted, peer, isDeclined) };
}

async function perform({ steps, expected, ending }: Case, peer: Peer): Promise<void> {
  for (const step of steps) {
    if (peer.hasEnded) break;
    // oxlint-disable-next-line no-await-in-loop -- the steps follow each other
    await step(peer);
  }
  if (!ending.clientCloses) return;
  await peer.hears(expected.length);
  peer.close(1000);
}

function judge({ expected, lenient, ending }: Case, peer: Peer, isDeclined: boolean): Omit<Verdict, "name"> {
  const { heard } = peer;
  const fault = faultOf(peer, ending);
  if (fault !== undefined) return { behaviour: "failed", seen: `${fault}, after ${describe(heard)}` };
  if (isDeclined) return { behaviour: "unimplemented", seen: "no compression" };
  if (isDeepStrictEqual(heard, expected)) return { behaviour: "ok", seen: "" };
  const isLenient = lenient !== undefined && isDeepStrictEqual(heard, lenient);
  return { behaviour: isLenient ? "non-strict" : "failed", seen: describe(heard) };
}

/** Returns what was wrong with the end of a connection. */
function faultOf({ closer, closeCode, isCut }: Peer, { by, codes, isClean }: Ending): string | undefined {
  if (closer !== by)
    return closer === undefined ? "still open" : `closed by the ${closer} with ${closeCode ?? "no code"}`;
  if (isCut) return "TCP still open after the close";
  if (closeCode === undefined) return isClean ? "ended without a close frame" : undefined;
  return closeCode === 1005 || codes.includes(closeCode) ? undefined : `closed with ${closeCode}`;
}

function describe(heard: readonly Heard[]): string {
  const words = heard.map(({ kind, payload }) =>
    kind === "breach" ? `a breach (${payload.toString("utf8", 0, 160)})` : `${kind} of ${payload.length} bytes`,
  );
  return words.join(", ") || "nothing";
}

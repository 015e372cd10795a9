import type { TransportName } from "roomcast";
import { beforeAll, describe, expect, test } from "vitest";
import { codesIn, sectionOf, tablesOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import type { Case } from "./case.ts";
import { SECTIONS } from "./cases.ts";
import { bare, dial, plainHub, roomyHub, type StartServer, type Way } from "./echo-servers.ts";
import { FURTHER_CASES } from "./further-cases.ts";
import { BEHAVIOURS, playAll, type Verdict } from "./play.ts";

const CASES = SECTIONS.flat();

/** Whether a case is about large or many messages, or about compression. */
const needsRoom = ({ name, offer }: Case): boolean => offer !== undefined || name.startsWith("9.");

/** Neither TLS nor the way to answer changes what is in a message, so that what takes long is played once. */
const RUNS = [
  { wire: "TCP", way: "replies", isSecure: false, isWanted: () => true },
  {
    wire: "TLS",
    way: "replies",
    isSecure: true,
    isWanted: (wanted: Case) => process.env["RFC6455_MESSAGES"] !== undefined || !needsRoom(wanted),
  },
  { wire: "TCP", way: "sends", isSecure: false, isWanted: (wanted: Case) => !needsRoom(wanted) },
] as const;

/** The time that all cases may take with as many messages as the suite has, in milliseconds. */
const PATIENCE = 7_200_000;

/** The cases in which a hub on uws is behind its library: a close frame loses the answers to what came in its read. */
const LOSING = ["7.1.6", "1 messages and a close frame in one write", "10 messages and a close frame in one write"];

/** The cases in which a hub is behind its library. */
const BEHIND: Readonly<Record<TransportName, Readonly<Record<Way, readonly string[]>>>> = {
  ws: { replies: [], sends: [] },
  uws: { replies: [], sends: LOSING },
};

/** Plays the cases of one section after the other, so that none that takes many turns has to wait for slow ones. */
async function playWith(
  sections: readonly (readonly Case[])[],
  plain: StartServer,
  roomy: StartServer,
  isSecure: boolean,
): Promise<readonly Verdict[]> {
  const usual = await plain(isSecure);
  const large = await roomy(isSecure);
  const verdicts: Verdict[] = [];
  for (const cases of sections) {
    // oxlint-disable-next-line no-await-in-loop -- one section after the other
    verdicts.push(...(await playAll(cases, (wanted) => dial(needsRoom(wanted) ? large : usual, isSecure))));
  }
  await usual.stop();
  await large.stop();
  return verdicts;
}

/** Counts verdicts, such as "513 ok, 4 non-strict". */
function summary(verdicts: readonly Verdict[]): string {
  const counts = BEHAVIOURS.map((behaviour) => [
    verdicts.filter((verdict) => verdict.behaviour === behaviour).length,
    behaviour,
  ]);
  return counts
    .filter(([count]) => count !== 0)
    .map((words) => words.join(" "))
    .join(", ");
}

const rows = tablesOf(sectionOf("docs/TRANSPORTS.md", "RFC 6455 and RFC 7692"))[0] ?? [];

/** What the document says of a case; the number of a subsection stands for all its cases. */
function documented(name: string, transport: TransportName): string {
  const row = rows.find(([numbers = ""]) =>
    codesIn(numbers).some((number) => name === number || name.startsWith(`${number}.`)),
  );
  return row?.[transport === "ws" ? 2 : 3] ?? "ok";
}

test("the list has 517 cases, and no two of the same number", () => {
  expect(CASES.length).toBe(517);
  const names = [...CASES, ...FURTHER_CASES].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test("every number in docs/TRANSPORTS.md is one of the list", () => {
  const numbers = rows.flatMap(([cell = ""]) => codesIn(cell));
  const unknown = numbers.filter((number) => !CASES.some(({ name }) => `${name}.`.startsWith(`${number}.`)));
  expect(unknown).toStrictEqual([]);
});

describe.each(TRANSPORTS)("a hub on %s", (transport) => {
  describe.each(RUNS)("that $way over $wire", ({ wire, way, isSecure, isWanted }) => {
    const listed = CASES.filter(isWanted);
    const sections = [...SECTIONS, FURTHER_CASES].map((cases) => cases.filter(isWanted));
    let ofHub: readonly Verdict[] = [];
    let ofLibrary: readonly Verdict[] = [];

    beforeAll(async () => {
      ofHub = await playWith(sections, plainHub(transport, way), roomyHub(transport, way), isSecure);
      ofLibrary = await playWith(sections, bare[transport], bare[transport], isSecure);
      const parts = [
        ["the list", 0, listed.length],
        ["further", listed.length, ofHub.length],
      ] as const;
      for (const [part, start, end] of parts) {
        console.log(
          `${transport} over ${wire} ${way}, ${end - start} cases of ${part}: ` +
            `hub ${summary(ofHub.slice(start, end))}; library ${summary(ofLibrary.slice(start, end))}`,
        );
      }
    }, PATIENCE);

    test.runIf(way === "replies")("does with each case of the list what docs/TRANSPORTS.md says", () => {
      const told = ofHub
        .slice(0, listed.length)
        .filter(({ name, behaviour }) => behaviour !== documented(name, transport));
      expect(told).toStrictEqual([]);
    });

    test("is not behind its library", () => {
      const behind = ofHub.filter(({ behaviour }, index) => {
        const library = ofLibrary[index] as Verdict;
        return BEHAVIOURS.indexOf(behaviour) > BEHAVIOURS.indexOf(library.behaviour);
      });
      expect(behind.map(({ name }) => name)).toStrictEqual(BEHIND[transport][way]);
    });

    test.runIf(transport === "ws")("fails no case", () => {
      expect(ofHub.filter(({ behaviour }) => behaviour === "failed" || behaviour === "unimplemented")).toStrictEqual(
        [],
      );
    });
  });
});

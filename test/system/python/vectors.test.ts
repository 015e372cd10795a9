import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { jsonCodec } from "../../../src/protocol/codec.ts";
import { Play } from "../../support/vectors/play.ts";
import { ScriptServer } from "../../support/vectors/script-server.ts";
import { casesOf, VECTORS } from "../../support/vectors/vectors.ts";
import { checkPython, PythonSubject } from "./python-subject.ts";

/** The vectors in JSON: all that the example speaks. */
const cases = VECTORS.client.flatMap(casesOf).filter(({ steps }) => {
  return steps.every((step) => !("offer" in step) || step.offer?.includes(jsonCodec.protocol));
});

let play: Play;

beforeAll(checkPython);

beforeEach(async () => {
  play = new Play(await ScriptServer.start(), (settings) => new PythonSubject(settings));
});

afterEach(() => play.end());

test.each(cases)("$title", async (vector) => {
  expect(await play.run(vector)).toStrictEqual(vector.steps);
});

import type { Random } from "../../../support/random.ts";
import { oddValue } from "./text.ts";

/** The first packet of a library client that is let in, as this user. */
export function goodHello(user: string): string {
  return hello("1", JSON.stringify(user));
}

/** What else it might say first, as JSON texts. */
export function badHello(random: Random): readonly string[] {
  return random.weighted<(random: Random) => readonly string[]>([
    [3, () => [goodHello("guest"), goodHello("guest")]],
    [3, (source) => [hello(source.pick(["2", "0", "-1", '"1"', "1.5", "null", "[1]", "1e400"]), "null")]],
    [3, (source) => [hello("1", source.pick(['"nobody"', '"throw"', '"reject"', '"odd"']))]],
    [1, () => [hello("1", '"hang"')]],
    [2, (source) => [hello("1", oddValue(source))]],
    [2, (source) => [`{"event":"hub:hello","data":${oddValue(source)}}`]],
    [2, (source) => [`{"event":"${source.pick(["echo", "hub:join", "hub:hell", "hub:welcome"])}","id":1}`]],
    [1, (source) => [oddValue(source)]],
    [1, () => [""]],
  ])(random);
}

function hello(protocol: string, auth: string): string {
  return `{"event":"hub:hello","data":{"protocol":${protocol},"auth":${auth}}}`;
}

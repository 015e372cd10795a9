import { toStandardJsonSchema } from "@valibot/to-json-schema";
import { defineContract, type ClientContract, type Contract, type HubContract } from "roomcast/contract";
import * as v from "valibot";
import * as z from "zod";

/** A contract at run time, whatever its types are. */
type AnyContract = HubContract<never> & ClientContract<never> & Pick<Contract<object>, "toAsyncAPI">;

interface Library {
  readonly name: string;
  readonly contract: AnyContract;
}

/** The same contract in each library: a test that takes it must not be able to tell which it is. */
export const libraries: readonly Library[] = [
  {
    name: "zod",
    contract: defineContract({
      client: {
        order: z.object({ items: z.array(z.object({ name: z.string(), price: z.number() })) }),
        age: z.string().transform(Number),
        note: z.string().optional(),
        leave: null,
      },
      server: { said: z.object({ from: z.string(), text: z.string() }), age: z.string().transform(Number) },
      requests: {
        sum: { data: z.array(z.number()), reply: z.string().transform(Number) },
        now: { reply: z.string() },
        nothing: {},
      },
      serverRequests: { confirm: { data: z.string().transform(Number), reply: z.string().transform(Number) } },
    }),
  },
  {
    name: "valibot",
    contract: defineContract({
      client: {
        order: toStandardJsonSchema(v.object({ items: v.array(v.object({ name: v.string(), price: v.number() })) })),
        age: toStandardJsonSchema(v.pipe(v.string(), v.transform(Number))),
        note: toStandardJsonSchema(v.optional(v.string())),
        leave: null,
      },
      server: {
        said: toStandardJsonSchema(v.object({ from: v.string(), text: v.string() })),
        age: toStandardJsonSchema(v.pipe(v.string(), v.transform(Number))),
      },
      requests: {
        sum: {
          data: toStandardJsonSchema(v.array(v.number())),
          reply: toStandardJsonSchema(v.pipe(v.string(), v.transform(Number))),
        },
        now: { reply: toStandardJsonSchema(v.string()) },
        nothing: {},
      },
      serverRequests: {
        confirm: {
          data: toStandardJsonSchema(v.pipe(v.string(), v.transform(Number))),
          reply: toStandardJsonSchema(v.pipe(v.string(), v.transform(Number))),
        },
      },
    }),
  },
];

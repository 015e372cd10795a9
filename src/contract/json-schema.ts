import { HubError } from "../errors.ts";
import { jsonSchemaSourceOf, type StandardSchema } from "./standard-schema.ts";

/** A JSON Schema, or a part of one. */
export type JSONSchema = Readonly<Record<string, unknown>>;

/** Keywords whose values are data. Data may look like a schema, but is not one. */
const DATA = new Set(["const", "enum", "default", "examples"]);

/** Keywords whose values are schemas under names that the application chose. */
const MAPS = new Set(["properties", "patternProperties", "definitions", "$defs", "dependencies"]);

/**
 * Returns the input of a schema in JSON Schema draft 7, for a place inside another document.
 *
 * @param what - names the data, for errors: `The data of "chat"`.
 * @param place - where the result goes: `#/components/schemas/chat`. Its references are made relative to the document.
 * @throws {HubError} `ERR_HUB_CONTRACT`.
 */
export function jsonSchemaOf(schema: StandardSchema, what: string, place: string): JSONSchema {
  const source = jsonSchemaSourceOf(schema);
  if (source === undefined) {
    throw new HubError(
      "ERR_HUB_CONTRACT",
      `${what} has a schema of ${schema["~standard"].vendor} that offers no Standard JSON Schema. zod offers it from ` +
        "4.2 on; wrap a schema of valibot in toStandardJsonSchema() of @valibot/to-json-schema.",
    );
  }
  let root: JSONSchema;
  try {
    root = source.input({ target: "draft-07" });
  } catch (error) {
    throw new HubError(
      "ERR_HUB_CONTRACT",
      `${what} has a schema that JSON Schema cannot express; the cause tells which part. Use null for an event ` +
        "without data, and for a date the text that is sent.",
      { cause: error },
    );
  }
  const { $schema: _, ...embedded } = root;
  return moved(embedded, place) as JSONSchema;
}

function moved(schema: unknown, place: string): unknown {
  if (Array.isArray(schema)) return schema.map((item) => moved(item, place));
  if (typeof schema !== "object" || schema === null) return schema;
  return mapValues(schema, (value, keyword) => {
    if (keyword === "$ref" && typeof value === "string") return value.replace(/^#/, place);
    if (DATA.has(keyword)) return value;
    if (!MAPS.has(keyword)) return moved(value, place);
    return mapValues(value as object, (item) => moved(item, place));
  });
}

function mapValues(object: object, change: (value: unknown, key: string) => unknown): JSONSchema {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]));
}

/**
 * The interface that the schemas of zod, valibot, ArkType and others share: https://standardschema.dev. It is declared
 * here, as that project recommends, so that nothing has to be installed.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    /** The library that the schema belongs to. */
    readonly vendor: string;
    /** This property is absent at run time. Its type carries the schema's types. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** Validates a value. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** The result of a validation: for a valid value the schema's output, for an invalid one what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong with a value. */
export interface StandardIssue {
  readonly message: string;
  /** The path from the validated value to the part that is wrong. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The addition to a schema whose library can describe it in JSON Schema: zod from 4.2 on, for example. */
export interface JSONSchemaSource {
  readonly input: (options: { readonly target: string }) => Record<string, unknown>;
}

/** The input of a schema, which is what is sent. */
export type InputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** The output of a schema, which is what handlers and listeners get. */
export type OutputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** Tells whether a value is a Standard Schema. The schemas of some libraries are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"] as Partial<StandardSchema["~standard"]> | undefined;
  return standard?.version === 1 && typeof standard.validate === "function";
}

/** Returns how a schema describes itself in JSON Schema, or `undefined` if its library does not offer this. */
export function jsonSchemaSourceOf(schema: StandardSchema): JSONSchemaSource | undefined {
  const { jsonSchema } = schema["~standard"] as { readonly jsonSchema?: Partial<JSONSchemaSource> };
  return typeof jsonSchema?.input === "function" ? (jsonSchema as JSONSchemaSource) : undefined;
}

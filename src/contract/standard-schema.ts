/**
 * What the schemas of zod, valibot, ArkType and others have in common: https://standardschema.dev. Declared here, as that
 * project recommends, so that nothing has to be installed for it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    /** The library that the schema belongs to. */
    readonly vendor: string;
    /** Absent at run time: it carries types only. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** Of a valid value what the schema made of it, of another what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  /** From the value that was validated to the part that is wrong. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema offers in addition where its library can describe it in JSON Schema: zod from 4.2 on, for example. */
export interface JSONSchemaSource {
  readonly input: (options: { readonly target: string }) => Record<string, unknown>;
}

/** What a schema takes: what is on the wire. */
export type InputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["input"];

/** What it makes of that: what handlers and listeners get. */
export type OutputOf<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** The schemas of some libraries are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"] as Partial<StandardSchema["~standard"]> | undefined;
  return standard?.version === 1 && typeof standard.validate === "function";
}

/** `undefined` for a schema whose library does not offer it. */
export function jsonSchemaSourceOf(schema: StandardSchema): JSONSchemaSource | undefined {
  const { jsonSchema } = schema["~standard"] as { readonly jsonSchema?: Partial<JSONSchemaSource> };
  return typeof jsonSchema?.input === "function" ? (jsonSchema as JSONSchemaSource) : undefined;
}

import specs from "@asyncapi/specs";
import { Ajv, type AnySchema } from "ajv";
import addFormats from "ajv-formats";
import type { AsyncAPIDocument } from "roomcast/contract";

const fitsSchema = newAjv().compile(specs.schemasWithoutId["3.0.0"] as AnySchema);

/** Lists what is wrong with a document: what the official JSON Schema of AsyncAPI finds, then references to nothing. */
export function problemsIn(document: AsyncAPIDocument): readonly string[] {
  // As a reader of the file gets it.
  const read = JSON.parse(JSON.stringify(document)) as AsyncAPIDocument;
  if (!fitsSchema(read)) {
    return (fitsSchema.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
  }
  return [...strayOperations(read), ...danglingSchemas(read)];
}

/** Lists the operations whose channel is none of the document's, or whose messages are none of that channel's. */
function strayOperations({ channels, operations }: AsyncAPIDocument): readonly string[] {
  const hub = new Set(Object.keys(channels.hub.messages).map((id) => `#/channels/hub/messages/${id}`));
  return Object.entries(operations).flatMap(([id, operation]) =>
    [operation, operation.reply].flatMap((side) => {
      if (side === undefined) return [];
      const stray = side.messages.map(({ $ref }) => $ref).filter((ref) => !hub.has(ref));
      if (side.channel.$ref !== "#/channels/hub") stray.push(side.channel.$ref);
      return stray.map((ref) => `/operations/${id}: ${ref} leads nowhere`);
    }),
  );
}

/** Lists the schemas that refer to what the document does not hold, or that are no JSON Schema. */
function danglingSchemas(document: AsyncAPIDocument): readonly string[] {
  const ajv = ajvOf(document);
  const payloads = Object.keys(document.channels.hub.messages).map((id) => `/channels/hub/messages/${id}/payload`);
  const schemas = Object.keys(document.components.schemas).map((id) => `/components/schemas/${id}`);
  return [...payloads, ...schemas].flatMap((path) => {
    try {
      ajv.compile({ $ref: `document#${path}` });
      return [];
    } catch (error) {
      return [`${path}: ${(error as Error).message}`];
    }
  });
}

/** Returns a function that checks packets against the payloads of the document's messages. */
export function validatorOf(document: AsyncAPIDocument): (message: string, packet: unknown) => boolean {
  const ajv = ajvOf(document);
  return (message, packet) => ajv.compile({ $ref: `document#/channels/hub/messages/${message}/payload` })(packet);
}

/** A validator that knows the document, so that schemas can refer to what is inside. */
function ajvOf(document: AsyncAPIDocument): Ajv {
  return newAjv().addSchema(JSON.parse(JSON.stringify(document)) as object, "document");
}

function newAjv(): Ajv {
  // The schemas of AsyncAPI have keywords of their own.
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv;
}

import type { ClientContractTypes } from "roomcast/contract";
import { createHubHooks } from "roomcast/react";
import type { contract } from "../contract.ts";

/** The contract's types alone: zod stays on the server, which is where what pages send has to be checked. */
export const { HubProvider, useConnection, useEvent, useHub, useRequest, useRoom } =
  createHubHooks<ClientContractTypes<typeof contract>>();

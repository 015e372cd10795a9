import type { Client } from "roomcast/client";
import type { ClientContractTypes } from "roomcast/contract";
import type { contract } from "../contract.ts";

/** The contract's types alone: zod stays on the server, which is where what pages send has to be checked. */
export type RoomsTypes = ClientContractTypes<typeof contract>;

export type RoomsClient = Client<RoomsTypes>;

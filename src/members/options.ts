import { isBoolean, isObject, type Options } from "../checks/option-rules.ts";
import type { HubContract } from "../contract/hub-side.ts";
import type { HubTypes } from "../event-types.ts";

/** The settings of the contract of the application's events. */
export interface ContractSettings<T extends HubTypes = HubTypes> {
  /**
   * The events of the application, from `defineContract`. What clients send is validated: what does not fit is answered
   * with `invalid-data`, and the name of the field, and reaches no handler. The contract also gives the types.
   *
   * Default: any event with any data.
   */
  readonly contract: HubContract<T> | undefined;

  /**
   * Whether events and replies of the server are checked against the contract, too: data that does not fit throws
   * `ERR_HUB_CONTRACT`. For development and tests, as it costs time for every message. Default: `false`.
   */
  readonly validateOutgoing: boolean;
}

export const contractOptions: Options<ContractSettings> = {
  contract: {
    default: undefined,
    rule: ["what defineContract() returned", (value) => isObject(value) && isObject(value["hub"])],
  },
  validateOutgoing: { default: false, rule: ["true or false", isBoolean] },
};

/** What parts are told when the hub itself fails, where that would be a failure of the test. */
export const RAISING = {
  fail(_member: unknown, error: unknown): void {
    throw error;
  },
  error(error: unknown): void {
    throw error;
  },
};

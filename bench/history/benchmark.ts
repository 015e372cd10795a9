export async function runHistory(args: readonly string[]): Promise<number> {
  return args.length;
}

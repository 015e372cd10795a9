import { onTestFinished, vi } from "vitest";

/** What a warning of the process is made of. */
export interface ProcessWarning {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly detail?: string;
}

/** Collects the warnings of the process, in place of printing them, until the test ends. */
export function collectWarnings(): readonly ProcessWarning[] {
  const warnings: ProcessWarning[] = [];
  const spy = vi.spyOn(process, "emitWarning").mockImplementation((message: string | Error, options: unknown) => {
    warnings.push({ message: String(message), ...(options as Omit<ProcessWarning, "message">) });
  });
  onTestFinished(() => spy.mockRestore());
  return warnings;
}

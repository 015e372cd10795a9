import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit } from "./at-exit.ts";

/** A new folder that is removed at the end of this process, if not before. */
export class TemporaryFolder {
  readonly path: string;
  readonly #isRemoved: () => void;

  /** @param prefix - the beginning of the folder's name. */
  constructor(prefix: string) {
    this.path = mkdtempSync(join(tmpdir(), prefix));
    this.#isRemoved = atExit(() => this.remove());
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
    this.#isRemoved();
  }
}

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

/** Where Debian puts it. */
const FIREFOX = "/usr/bin/firefox-esr";

/** Nothing but this machine is asked for anything: all other addresses are behind a proxy that is not there. */
const PREFERENCES: Readonly<Record<string, unknown>> = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "network.proxy.allow_hijacking_localhost": false,
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.server": "",
};

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly message?: string;
  readonly result: unknown;
}

/** The system's Firefox without a window, driven by WebDriver BiDi. */
export class Firefox {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #driver: WebSocket;
  #lastId = 0;

  /** @throws {Error} with the command that installs it, if it is missing. */
  static async launch(): Promise<Firefox> {
    if (!existsSync(FIREFOX)) {
      throw new Error(
        `The tests of platforms need ${FIREFOX}, which is not there. ` +
          "Install it with `sudo apt-get install -y firefox-esr`, or run `npm run setup`.",
      );
    }
    const profile = mkdtempSync(join(tmpdir(), "roomcast-firefox-"));
    const lines = Object.entries(PREFERENCES).map((entry) => `user_pref(${JSON.stringify(entry).slice(1, -1)});\n`);
    writeFileSync(join(profile, "user.js"), lines.join(""));
    const args = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile, "about:blank"];
    const child = spawn(FIREFOX, args, { stdio: ["ignore", "ignore", "pipe"] });
    try {
      const driver = new WebSocket(`${await addressOf(child)}/session`);
      await once(driver, "open");
      const firefox = new Firefox(child, profile, driver);
      await firefox.#command("session.new", { capabilities: {} });
      return firefox;
    } catch (error) {
      child.kill();
      throw error;
    }
  }

  private constructor(child: ChildProcess, profile: string, driver: WebSocket) {
    this.#process = child;
    this.#profile = profile;
    this.#driver = driver;
  }

  /** Opens a page and resolves with what the promise of an expression in it resolves with: a string. */
  async evaluate(url: string, expression: string): Promise<string> {
    const { context } = (await this.#command("browsingContext.create", { type: "tab" })) as {
      readonly context: string;
    };
    await this.#command("browsingContext.navigate", { context, url, wait: "complete" });
    const evaluated = (await this.#command("script.evaluate", {
      expression,
      target: { context },
      awaitPromise: true,
    })) as { readonly result?: { readonly value?: unknown }; readonly exceptionDetails?: { readonly text: string } };
    await this.#command("browsingContext.close", { context });
    if (evaluated.exceptionDetails) throw new Error(evaluated.exceptionDetails.text);
    return String(evaluated.result?.value);
  }

  async close(): Promise<void> {
    const exited = once(this.#process, "exit");
    this.#driver.terminate();
    this.#process.kill();
    await exited;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20 });
  }

  async #command(method: string, params: object): Promise<unknown> {
    const id = ++this.#lastId;
    const answered = new Promise<Answer>((resolve, reject) => {
      const listener = (data: Buffer): void => {
        const answer = JSON.parse(data.toString()) as Answer;
        if (answer.id !== id) return;
        this.#driver.off("message", listener);
        resolve(answer);
      };
      this.#driver.on("message", listener);
      this.#driver.once("close", () => reject(new Error("Firefox has ended.")));
    });
    this.#driver.send(JSON.stringify({ id, method, params }));
    const { type, message, result } = await answered;
    if (type !== "success") throw new Error(`${method}: ${message ?? type}`);
    return result;
  }
}

/** Where a Firefox listens for its driver, which it says on its standard error. */
async function addressOf({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error("Without a pipe there are no lines.");
  const said: string[] = [];
  for await (const line of createInterface(stderr)) {
    said.push(line);
    const [, address] = /BiDi listening on (ws:\S+)/.exec(line) ?? [];
    if (address !== undefined) {
      stderr.resume();
      return address;
    }
  }
  throw new Error(`Firefox has ended:\n${said.join("\n")}`);
}

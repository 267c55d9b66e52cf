/**
 * Lines in and out. On a terminal what is being typed stays under what comes; from a pipe the lines are taken one after
 * the other, so that a script's second request waits for the answer to its first.
 */
import { clearLine, createInterface, cursorTo, type Interface } from 'node:readline';

const PROMPT = '> ';

export interface TerminalOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** @returns whether to go on reading */
  readonly onLine: (line: string) => Promise<boolean>;
}

export class Terminal {
  readonly #output: NodeJS.WriteStream;
  readonly #isInteractive: boolean;
  readonly #onLine: TerminalOptions['onLine'];
  readonly #input: NodeJS.ReadStream;
  #lines: Interface | undefined;

  constructor({ input, output, onLine }: TerminalOptions) {
    this.#input = input;
    this.#output = output;
    this.#onLine = onLine;
    this.#isInteractive = input.isTTY === true && output.isTTY === true;
  }

  /** Whether a person sits there. */
  get isInteractive(): boolean {
    return this.#isInteractive;
  }

  print(line: string): void {
    if (this.#lines === undefined || !this.#isInteractive) {
      this.#output.write(`${line}\n`);
      return;
    }
    clearLine(this.#output, 0);
    cursorTo(this.#output, 0);
    this.#output.write(`${line}\n`);
    this.#lines.prompt(true);
  }

  /** Resolves at the end of the input, at Ctrl-C, or when `onLine` wants no more. */
  async read(): Promise<void> {
    const lines = createInterface({
      input: this.#input,
      prompt: PROMPT,
      ...(this.#isInteractive ? { output: this.#output, terminal: true } : { terminal: false }),
    });
    this.#lines = lines;
    if (this.#isInteractive) {
      lines.on('SIGINT', () => {
        this.#output.write('\n');
        lines.close();
      });
      lines.prompt();
    }
    for await (const line of lines) {
      const handled = this.#onLine(line);
      if (this.#isInteractive) {
        void handled.then((goOn) => (goOn ? lines.prompt() : lines.close()));
      } else if (!(await handled)) break;
    }
    this.close();
  }

  close(): void {
    this.#lines?.close();
    this.#lines = undefined;
  }
}

/** Calls into a child process over IPC: one at a time, answered by value or by error, and the child ends with its parent. */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** What a process offers: each call takes one value that can be cloned, and answers with another. */
// biome-ignore lint/suspicious/noExplicitAny: the bound of any call; each one is typed where it is declared and where it is made.
export type Calls = Readonly<Record<string, (argument: any) => unknown>>;

type Argument<C extends Calls, Name extends keyof C> = Parameters<C[Name]>[0];
type Answer<C extends Calls, Name extends keyof C> = Awaited<ReturnType<C[Name]>>;

interface Request {
  readonly name: string;
  readonly argument: unknown;
}

type Reply = { readonly answer: unknown } | { readonly problem: string };

/** Offers calls to the parent of this process, and ends the process when the parent is gone. */
export function offer(calls: Calls): void {
  process.on('disconnect', () => process.exit());
  process.on('message', async ({ name, argument }: Request) => {
    let reply: Reply;
    try {
      reply = { answer: await calls[name]?.(argument) };
    } catch (error) {
      reply = { problem: String(error) };
    }
    process.send?.(reply);
  });
}

/** A child process that offers calls. */
export class Child<C extends Calls> {
  readonly #name: string;
  readonly #process: ChildProcess;

  constructor(script: URL, name: string) {
    this.#name = name;
    this.#process = fork(script);
  }

  /** Makes a call. Rejects with the error of the call, or if the process ends or does not answer in time. */
  async call<Name extends keyof C & string>(
    name: Name,
    argument: Argument<C, Name>,
    timeoutMs = 30_000,
  ): Promise<Answer<C, Name>> {
    const settled = new AbortController();
    const { signal } = settled;
    const timer = setTimeout(() => settled.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    const ended = once(this.#process, 'exit', { signal }).then(([code]) => {
      throw new Error(`the process ended with ${code}`);
    });
    try {
      const request: Request = { name, argument };
      this.#process.send(request);
      const [reply] = (await Promise.race([once(this.#process, 'message', { signal }), ended])) as [Reply];
      if ('problem' in reply) throw new Error(reply.problem);
      return reply.answer as Answer<C, Name>;
    } catch (error) {
      throw new Error(`${this.#name}, ${name}: ${signal.aborted ? signal.reason : error}`);
    } finally {
      clearTimeout(timer);
      settled.abort();
      ended.catch(() => {});
    }
  }

  /** Ends the process, and waits until it has ended. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await exit;
    clearTimeout(timer);
  }
}

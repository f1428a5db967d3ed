/** A broker that this tool starts itself: its process, the last that it says, how it ends, and starting it again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import os from 'node:os';
import type { Duplex } from 'node:stream';
import { shorten } from './report/text.ts';

export interface BrokerCommand {
  /** What the shell runs; the broker has to stay in the foreground. */
  readonly command: string;
  /** The TCP port that it listens on then. */
  readonly port: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How long it may take from its start until it serves, in milliseconds; 30 s unless given. */
  readonly readyMs?: number;
  /** How often it is started again; 100 times unless given. */
  readonly restartsAtMost?: number;
}

/** How a broker ended. */
export interface End {
  /** `SIGSEGV`, `exit code 3`: short, and the same for the same cause. */
  readonly by: string;
  /** What the broker did, to go on from its name: `ended by SIGSEGV (exit code 139)`. */
  readonly how: string;
  /** This tool ended it, for it did not serve any more. */
  readonly wasKilled: boolean;
  /** It was neither killed nor stopped by anyone: a crash, or an error of its own. */
  readonly isOfItself: boolean;
  /** Its last lines. */
  readonly said: readonly string[];
}

export const defaultReadyMs = 30_000;
const defaultRestarts = 100;
const saidBytes = 4_096;
const saidLines = 20;
/** What fits where there is one line. */
const briefly = 300;
const brieflyLines = 3;
/** How long a broker may take to end when it is asked to, and a process that is killed to be gone. */
const stopMs = 5_000;
/** How long the last output of a process that is gone may take to arrive. */
const lastWordsMs = 500;

/**
 * Around the command. The shell has a trap, so that it stays until the command has ended, and tells its exit code, whatever shell it is. The
 * other process waits for the end of the pipe 3, which comes when this tool ends, in whatever way, and ends the whole group.
 */
const wrapped = (command: string) =>
  ['trap : TERM', "(trap '' TERM; read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &", 'exec 3<&-', command].join('\n');

export class BrokerProcess {
  readonly readyMs: number;
  readonly #options: BrokerCommand;
  readonly #restartsAtMost: number;
  #child: ChildProcess | undefined;
  #said = Buffer.alloc(0);
  #end: End | undefined;
  #over: Promise<void> = Promise.resolve();
  #isKilled = false;
  #isStopped = false;
  #restarts = 0;
  #pid: number | undefined;

  constructor(options: BrokerCommand) {
    this.#options = options;
    this.readyMs = options.readyMs ?? defaultReadyMs;
    this.#restartsAtMost = options.restartsAtMost ?? defaultRestarts;
  }

  /** Starts it, without waiting for anything; a command that cannot be started has ended, too. */
  start(): void {
    const { command, cwd, env } = this.#options;
    const child = spawn(wrapped(command), {
      shell: true,
      // A process group of its own: it can be ended as a whole, and a Ctrl-C on the terminal is not for the broker.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(cwd !== undefined && { cwd }),
      ...(env && { env }),
    });
    this.#child = child;
    this.#said = Buffer.alloc(0);
    this.#end = undefined;
    this.#isKilled = false;
    this.#pid = undefined;
    // Read to the end, or a full pipe would stop the broker.
    for (const output of [child.stdout, child.stderr]) output?.on('data', (chunk: Buffer) => this.#hear(chunk));
    (child.stdio[3] as Duplex | null)?.on('error', () => {});
    this.#over = new Promise((resolve) => {
      const over = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#end ??= this.#ending(code, signal);
        resolve();
      };
      child.once('error', (error) => {
        this.#hear(Buffer.from(error.message));
        over(null, null);
      });
      child.once('exit', (code, signal) => {
        // What it left behind would keep the port.
        this.#signal('SIGKILL');
        const timer = setTimeout(() => over(code, signal), lastWordsMs);
        child.once('close', () => {
          clearTimeout(timer);
          over(code, signal);
        });
      });
    });
  }

  /** How it ended; undefined while it runs. */
  get end(): End | undefined {
    return this.#end;
  }

  /** How it ended, if it does within this time: connections break some time before a process is over. */
  async endsWithin(ms: number): Promise<End | undefined> {
    await soon(this.#over, ms);
    return this.#end;
  }

  /**
   * The process that listens on the port, which is not the shell's; undefined if it cannot be told (no `/proc`, or the broker is in a
   * container), and while the broker is down.
   */
  get pid(): number | undefined {
    const leader = this.#child?.pid;
    if (leader === undefined || this.#end) return undefined;
    // A loop of the shell may have started another one.
    if (this.#pid === undefined || !existsSync(`/proc/${this.#pid}`)) {
      this.#pid = listenerOf(this.#options.port, leader);
    }
    return this.#pid;
  }

  /** Why it does not serve, as far as the process tells: to go on from another sentence, in one line; empty if there is nothing to say. */
  get remark(): string {
    const [said, end] = [this.#end?.said ?? linesOf(this.#said), this.#end];
    const words = said.length > 0 ? `: ${shorten(telling(said).join(' | '), briefly)}` : '';
    const hint = end?.by === 'exit code 0' ? ' (it has to stay in the foreground)' : '';
    return end
      ? `the broker ${end.how}${hint}${words}`
      : words && `the process that was started runs, and says${words}`;
  }

  /** How often it can still be started again. */
  get restartsLeft(): number {
    return this.#isStopped ? 0 : this.#restartsAtMost - this.#restarts;
  }

  /** Starts it again, and kills it before if it still runs. Resolves with false when that was done too often. */
  async restart(): Promise<boolean> {
    await this.kill();
    if (this.restartsLeft <= 0) return false;
    this.#restarts++;
    this.start();
    return true;
  }

  /** Ends it because it does not serve any more. Resolves with how it ended, also if it had ended before. */
  async kill(): Promise<End | undefined> {
    if (!this.#end) this.#isKilled = true;
    await this.#terminate();
    return this.#end;
  }

  /** Ends it for good, with all processes that it started. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#terminate();
  }

  async #terminate(): Promise<void> {
    if (!this.#child || this.#end) return;
    this.#signal('SIGTERM');
    if (await soon(this.#over, stopMs)) return;
    this.#signal('SIGKILL');
    await soon(this.#over, stopMs);
  }

  #signal(signal: NodeJS.Signals): void {
    const group = this.#child?.pid;
    try {
      if (group !== undefined) process.kill(-group, signal);
    } catch (error) {
      // Nothing of it is there any more.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #hear(chunk: Buffer): void {
    const said = chunk.length < saidBytes ? Buffer.concat([this.#said, chunk]) : chunk;
    // A copy: a slice would hold all of a large chunk.
    this.#said = Buffer.from(said.subarray(-saidBytes));
  }

  #ending(code: number | null, signal: NodeJS.Signals | null): End {
    const said = linesOf(this.#said);
    const by = signal ?? signalOf(code) ?? `exit code ${code}`;
    const shellCode = code !== null && by !== `exit code ${code}` ? ` (exit code ${code})` : '';
    const common = { by, said, wasKilled: this.#isKilled };
    if (this.#isKilled) return { ...common, how: 'was killed, for it did not serve any more', isOfItself: false };
    if (code === null && signal === null) return { ...common, how: 'could not be started', isOfItself: false };
    const why = meanings.get(code ?? -1) ?? '';
    const isOfItself = code !== 0 && !fromOutside.has(by);
    return { ...common, how: `ended ${by.startsWith('SIG') ? 'by' : 'with'} ${by}${shellCode}${why}`, isOfItself };
  }
}

const meanings: ReadonlyMap<number, string> = new Map([
  [126, ' (the shell may not execute this command)'],
  [127, ' (the shell finds no such command)'],
]);

/** What an operator, a terminal or a system without memory ends a process with. */
const fromOutside: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

/** A shell whose command is ended by a signal ends with 128 and its number. */
function signalOf(code: number | null): string | undefined {
  return Object.entries(os.constants.signals).find(([, number]) => number + 128 === code)?.[0];
}

/** The last lines; the first one is left out if its begin is missing. */
function linesOf(said: Buffer): readonly string[] {
  const lines = said.toString('utf8').split(/\r?\n/);
  if (said.length === saidBytes && lines.length > 1) lines.shift();
  return lines.filter((line) => line.trim() !== '').slice(-saidLines);
}

/** The lines that probably say why: a stack trace, or what else was shut down, may come after them. */
function telling(said: readonly string[]): readonly string[] {
  const complaints = said.filter((line) =>
    /error|exception|panic|fatal|fail|cannot|denied|in use|not found/i.test(line),
  );
  return [...new Set(complaints.length > 0 ? complaints : said)].slice(-brieflyLines).map((line) => line.trim());
}

/** Resolves with whether `work` came to its end within this time. */
async function soon(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The process of this session that listens on a port; undefined if there is none, or no `/proc`. */
function listenerOf(port: number, session: number): number | undefined {
  const sockets = new Set(['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => listeningAt(port, table)));
  if (sockets.size === 0) return undefined;
  return processesOf(session).find((pid) => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
    } catch {
      // It is gone by now, closed a file meanwhile, or belongs to another user.
      return false;
    }
  });
}

/** The sockets that listen on a port, as `/proc/PID/fd` names them. */
function listeningAt(port: number, table: string): readonly string[] {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const listening = '0A';
  return readOrNothing(table)
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(local) && fields[3] === listening)
    .map((fields) => `socket:[${fields[9]}]`);
}

/** All processes that came of the one that leads the session, in the order of their numbers. */
function processesOf(session: number): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    // The name of the program stands in parentheses, and may contain anything.
    const [, , , its] = readOrNothing(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    return its === String(session);
  });
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** What a command has of the outside world, so that tests can hand it another one. */

/** A stream of text; `isTTY` and `columns` as Node's own streams have them. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths start here. */
  readonly cwd: string;
  /** Aborted when the user interrupts. */
  readonly signal?: AbortSignal;
}

/** Whether GitHub Actions reads the output. */
export function isGitHub({ env }: Io): boolean {
  return env.GITHUB_ACTIONS === 'true';
}

/** Whether to paint: on a terminal, unless the user or NO_COLOR (https://no-color.org) says no. */
export function hasColors({ stdout, env }: Io, wanted: boolean): boolean {
  return wanted && stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
}

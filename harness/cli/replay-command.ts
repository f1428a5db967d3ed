/** The command `replay`: plays a finding, a script or bytes in hex again, and says what happens. */

import type { ExitCode } from '../events.ts';
import type { Version } from '../spec/index.ts';
import type { Io } from './io.ts';
import type { TargetArguments } from './run-command.ts';

/** Everything that `replay` takes. Times are in milliseconds. */
export interface ReplayArguments extends TargetArguments {
  readonly timeout?: number;
  readonly times?: number;
  readonly minimise?: boolean;
  readonly mqtt?: readonly Version[];
  readonly color: boolean;
}

export async function replayCommand(_file: string, _given: ReplayArguments, _io: Io): Promise<ExitCode> {
  throw new Error('not yet');
}

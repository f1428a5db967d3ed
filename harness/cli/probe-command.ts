/** The command `probe`: what the broker can do, as every run finds out before its first case. */

import type { Capabilities, ExitCode } from '../events.ts';
import { notSpokenLines } from '../report/summary.ts';
import { clean } from '../report/text.ts';
import { type Version, versionName } from '../spec/index.ts';
import type { Io } from './io.ts';
import { openTarget, type RunArguments, startRun } from './run-command.ts';

/** Prints the capabilities; exit code 3 if the target cannot be probed. */
export async function probeCommand(given: RunArguments, io: Io): Promise<ExitCode> {
  const { target, close } = await openTarget(given, io);
  try {
    // A run of no cases is a sanity check and the probing.
    for await (const event of await startRun(target, [], given, undefined, io.signal)) {
      if (event.type === 'run-started') {
        const all = Object.entries(event.capabilities) as [Version, Capabilities][];
        const width = Math.max(0, ...all.flatMap(([, own]) => Object.keys(own).map((name) => name.length)));
        const lines = all.flatMap(([version, own]) => [
          `  ${versionName(version)}`,
          ...Object.entries(own).map(
            ([name, has]) => `    ${name.padEnd(width)}  ${has === true ? 'yes' : `no: ${clean(has)}`}`,
          ),
        ]);
        io.stdout.write(`${[target.name, ...lines, ...notSpokenLines(event)].join('\n')}\n`);
      }
      if (event.type === 'run-finished' && event.problem !== undefined) {
        io.stderr.write(`mqtt-conform: ${event.problem}\n`);
        return event.exitCode;
      }
    }
    return 0;
  } finally {
    await close();
  }
}

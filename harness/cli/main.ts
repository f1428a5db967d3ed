#!/usr/bin/env node
/** The executable: the process around the command line. */

import { setFlagsFromString } from 'node:v8';
import { main } from './program.ts';

// Nearly all that a run makes is short-lived. Left alone, V8 lets the space for that grow for speed, which a run that waits
// for a broker does not need: this keeps a run's memory well below 200 MB (npm run bench).
setFlagsFromString('--semi-space-growth-factor=1');

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Whoever asks twice does not want to wait for the reports.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

// `mqtt-conform list | head`: nobody reads on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interruption.signal,
});

// Connections of cases that were given up must not hold the process; what was printed must be out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));

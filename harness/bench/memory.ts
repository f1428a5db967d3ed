/** Loaded before a program: reports the most memory that the process has had, in bytes, on file descriptor 3 when it ends. */

import { readFileSync, writeSync } from 'node:fs';

process.on('exit', () => writeSync(3, String(peak())));

function peak(): number {
  try {
    // Unlike getrusage, this leaves out what the parent had when it forked.
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return 1_024 * Number(kibibytes);
  } catch {
    return 1_024 * process.resourceUsage().maxRSS;
  }
}

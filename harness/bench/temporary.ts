/** Folders that are gone when this process ends, however it ends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes an empty folder; returns its path. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'mqtt-conform-bench-'));
  process.on('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

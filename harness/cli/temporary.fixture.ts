/** Temporary folders for tests, removed when the tests of the file are over. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** A new, empty folder. */
export async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mqtt-conform-'));
  made.push(path);
  return path;
}

afterAll(async () => {
  for (const path of made.splice(0)) await rm(path, { recursive: true, force: true });
});

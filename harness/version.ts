/** The version of this tool, from its package.json. */

import { readFileSync } from 'node:fs';

/** From the sources the file lies one folder up, from dist two. */
function read(): string {
  for (const path of ['../package.json', '../../package.json']) {
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {
      // The other place.
    }
  }
  return 'unknown';
}

export const toolVersion = read();

/** A mosquitto of the bench's own, if this machine has one: on a free loopback port, with nothing kept on disk. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { freePort } from '../port.ts';
import { temporaryDirectory } from './temporary.ts';

export interface Mosquitto {
  /** As it calls itself. */
  readonly version: string;
  readonly port: number;
  /** Ends it, and waits until it has ended. */
  stop(): Promise<void>;
}

/** The path of the program, or `undefined` if there is none on PATH or in /usr/sbin. */
export async function findMosquitto(): Promise<string | undefined> {
  for (const directory of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']) {
    const path = join(directory, 'mosquitto');
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** Starts it. Rejects with what it said if it ends, or is not ready within five seconds. */
export async function startMosquitto(path: string): Promise<Mosquitto> {
  const port = await freePort();
  const configuration = join(temporaryDirectory(), 'mosquitto.conf');
  await writeFile(configuration, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
  const child = spawn(path, ['-c', configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  const end = () => child.kill();
  process.on('exit', end);
  const stop = async () => {
    process.off('exit', end);
    if (child.exitCode !== null || child.signalCode !== null) return;
    end();
    await once(child, 'exit');
  };
  try {
    return { version: await versionWhenRunning(child), port, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits for the line in its log that says that it runs. */
function versionWhenRunning(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = (why: string) => reject(new Error(`mosquitto ${why}: ${log.trim()}`));
    const timer = setTimeout(() => fail('is not ready'), 5_000);
    child.on('error', reject);
    child.on('exit', (code) => fail(`ended with ${code}`));
    // It is read to the end, or a full pipe would stop it.
    child.stderr?.on('data', (chunk: Buffer) => {
      if (log.length > 10_000) return;
      log += chunk.toString();
      const [, version] = /mosquitto version (\S+) running/.exec(log) ?? [];
      if (!version) return;
      clearTimeout(timer);
      resolve(`mosquitto ${version}`);
    });
  });
}

/** `--start`: a broker of the command line's own, from its start to its end. */

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mortalBroker } from '../mortal-broker.fixture.ts';
import type { Io } from './io.ts';
import { main } from './program.ts';
import { temporaryFolder } from './temporary.fixture.ts';

async function run(args: readonly string[], io: Partial<Io> = {}) {
  const [out, err] = [[] as string[], [] as string[]];
  const cwd = await temporaryFolder();
  const code = await main(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    cwd,
    ...io,
  });
  return { code, out: out.join(''), err: err.join(''), cwd };
}

async function isGone(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(address.split(':')[1]), '127.0.0.1');
    socket.on('error', () => resolve(true));
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
  });
}

const quick = 'v3/4.3.1/not-acknowledged';
const address = /127\.0\.0\.1:\d+/;

describe('run --start', () => {
  it('starts the broker at a free port, and ends it', async () => {
    const { code, out, err } = await run([quick, '--start', await mortalBroker()]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('conformant: 1 applicable case');
    expect(await isGone(address.exec(out)?.[0] ?? '')).toBe(true);
  });

  it('names how the broker ended, and its last output', async () => {
    const command = await mortalBroker('QoS 1', 'SIGSEGV');
    const args = ['v3/4.3.2/acknowledged', quick, '--start', command, '-j', '1', '-r', 'junit'];
    const { code, out, cwd } = await run(args);
    expect(code).toBe(1);
    expect(out).toMatch(/ actual +the broker ended by SIGSEGV \(exit code 139\) after this case\n/);
    expect(out).toMatch(/\n +its last output:\n(.*\n)*? +assertion failed: QoS 1\n/);
    expect(out).toContain(`reproduce  npx mqtt-conform --start '`);
    const report = await readFile(join(cwd, 'mqtt-conform-report', 'junit.xml'), 'utf8');
    expect(report).toContain('message="crash: the broker ended by SIGSEGV (exit code 139) after this case"');
  });

  it.each([
    ['exit 4 # {port}', /^no verdict: the broker ended with exit code 4 \(/m],
    [
      'no-such-broker {port}',
      /^no verdict: the broker ended with exit code 127 \(the shell finds no such command\): /m,
    ],
    ['exit 0 # {port}', /exit code 0 \(it has to stay in the foreground\)/],
  ])('gives no verdict where the command ends: %s', async (command, message) => {
    const { code, out, err } = await run([quick, '--start', command]);
    expect([code, err]).toEqual([3, '']);
    expect(out).toMatch(message);
  });

  it('gives no verdict where nobody serves in time, and says what the process says', async () => {
    const command = 'echo elsewhere; sleep 600 # {port}';
    const { code, out } = await run([quick, '--start', command, '--wait-for', '1s']);
    expect(code).toBe(3);
    expect(out).toMatch(/connection refused.*; the process that was started runs, and says: elsewhere/);
  });
});

describe('fuzz --start', () => {
  it('fuzzes the broker that it starts', async () => {
    const args = ['--only', 'bytes', '--runs', '20', '--seed', 'start'];
    const { code, out, err } = await run(['fuzz', '--start', await mortalBroker(), ...args]);
    expect(err).toBe('');
    // It is no good broker.
    expect([0, 1]).toContain(code);
    expect(out).toMatch(/cases? \(\d+ packets\)/);
    expect(await isGone(address.exec(out)?.[0] ?? '')).toBe(true);
  });

  it('ends the broker when it is interrupted', async () => {
    const interruption = new AbortController();
    let head = '';
    const stdout = {
      write: (text: string) => {
        head += text;
        if (address.test(head)) interruption.abort();
      },
    };
    const command = await mortalBroker();
    const { code } = await run(['fuzz', '--start', command, '--max-time', '10m'], {
      stdout,
      signal: interruption.signal,
    });
    expect(code).toBe(130);
    expect(await isGone(address.exec(head)?.[0] ?? '')).toBe(true);
  });

  it('ends with 3 and one line where the command ends', async () => {
    const { code, out } = await run(['fuzz', '--start', 'no-such-broker {port}']);
    expect(out).toMatch(
      /^no verdict; the broker ended with exit code 127 \(the shell finds no such command\): [^\n]+\n$/m,
    );
    expect(code).toBe(3);
  });
});

it('probes and replays with a broker that it starts', async () => {
  const command = await mortalBroker('/fatal', 'exit');
  expect(await run(['probe', '--start', command])).toMatchObject({ code: 0, err: '' });
  const subscribe = '82 0b 00 01 00 06 2f 66 61 74 61 6c 00';
  const text = `10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00 ${subscribe}`;
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'bytes.hex'), text);
  const { code, out } = await run(['replay', 'bytes.hex', '--start', command], { cwd });
  expect(out).toMatch(/does not serve any more: the broker ended with exit code 3; its last output:\n/);
  expect(out).toMatch(/^ {2}assertion failed: \/fatal$/m);
  expect(code).toBe(1);
  const gone = await run(['replay', 'bytes.hex', '--start', 'exit 5 # {port}'], { cwd });
  expect([gone.code, gone.err]).toEqual([3, 'mqtt-conform: the broker ended with exit code 5\n']);
});

describe('usage errors of --start', () => {
  it.each([
    [['--start', 'broker'], '--start: write {port} where the command takes its port, or say with --target'],
    [['fuzz', '--start', 'broker'], '--start: write {port}'],
    [['--start', ' '], '--start: there is no command'],
  ])('%j', async (args, message) => {
    const { code, out, err } = await run(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^mqtt-conform: [^\n]+\n$/);
    expect(err).toContain(message);
  });

  it('do not take for the broker what listens there already', async () => {
    const other = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as net.AddressInfo;
    const { code, err } = await run(['-t', `127.0.0.1:${port}`, '--start', 'broker']);
    other.close();
    expect([code, err]).toEqual([2, `mqtt-conform: --start: something listens at 127.0.0.1:${port} already\n`]);
  });
});

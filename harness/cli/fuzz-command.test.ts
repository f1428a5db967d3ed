import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBroker } from '../../reference-broker/broker.ts';
import { listen } from '../../reference-broker/listen.ts';
import { main } from './program.ts';
import { temporaryFolder } from './temporary.fixture.ts';

async function run(args: readonly string[], cwd?: string) {
  const [out, err] = [[] as string[], [] as string[]];
  const where = cwd ?? (await temporaryFolder());
  const code = await main(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    cwd: where,
  });
  return { code, out: out.join(''), err: err.join(''), cwd: where };
}

describe('fuzz', () => {
  it('runs against the embedded reference broker, and finds nothing', async () => {
    const { code, out } = await run(['fuzz', '--runs', '300', '--seed', 'cli']);
    expect(out).toMatch(/^mqtt-conform \S+ fuzz {2}the reference broker .* seed cli\n/);
    expect(out).toMatch(/no finding in 300 cases\n$/);
    expect(code).toBe(0);
  });

  it('finds a broken gate over TCP, writes reports and a finding that replay takes', async () => {
    const broker = await listen(createBroker({ faults: ['v3/3.12~one-pingresp-each'] }), { port: 0 });
    try {
      const target = ['-t', `127.0.0.1:${broker.port}`];
      const args = [
        '--runs',
        '40',
        '--only',
        'packets',
        '--seed',
        'cli',
        '-r',
        'junit,json,ndjson,md',
        '--out',
        'found',
      ];
      const { code, out, cwd } = await run(['fuzz', ...target, ...args]);
      expect(code).toBe(1);
      expect(out).toContain('MUST v3/3.12~one-pingresp-each');
      expect(await readFile(join(cwd, 'found/fuzz-junit.xml'), 'utf8')).toContain('<failure');
      const [file = ''] = readdirSync(join(cwd, 'found/findings')).filter((name) => name.includes('one-pingresp'));
      const again = await run(['replay', join('found/findings', file), ...target], cwd);
      expect(again.out).toContain('PINGRESP that answers nothing');
      expect(again.code).toBe(1);
      const whole = await run(['replay', join('found/findings', file)], cwd);
      expect(whole.out).toMatch(/1 play against the reference broker: 0 findings\n$/);
      expect(whole.code).toBe(0);
    } finally {
      await broker.close();
    }
  });

  it('ends with 3 and one line where nobody listens', async () => {
    const { code, out } = await run(['fuzz', '-t', '127.0.0.1:9']);
    expect(out).toMatch(/^no verdict; 127\.0\.0\.1:9: connection refused[^\n]*\n$/m);
    expect(code).toBe(3);
  });

  it.each([
    [['fuzz', '--only', 'all'], "--only: 'all' is none of bytes, packets, sessions"],
    [['fuzz', '--only', 'bytes,packets'], '--only: one of bytes, packets, sessions'],
    [['fuzz', '--max-time', '10'], "--max-time: '10' is no duration"],
    [['fuzz', '--against', 'http://x'], 'http:// is not supported'],
    [['replay', 'nowhere.json'], 'cannot read nowhere.json: no such file or directory'],
  ])('%j is a usage error of one line', async (args, message) => {
    const { code, err } = await run(args);
    expect(err).toContain(message);
    expect(err.trim()).not.toContain('\n');
    expect(code).toBe(2);
  });
});

describe('replay', () => {
  it('takes hex with connection numbers, and says what happens', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'bytes.txt'), '1: 10 0c 00 04 4d 51 54 54 04 02 00 3c 00 00\n1: c0 00\n');
    const { code, out } = await run(['replay', 'bytes.txt'], cwd);
    expect(out).toContain('PINGRESP');
    expect(code).toBe(0);
  });

  it('refuses junk with one line', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'junk.txt'), '10 0c zz\n');
    const { code, err } = await run(['replay', 'junk.txt'], cwd);
    expect(err).toMatch(/^mqtt-conform: junk\.txt[^\n]*\n$/);
    expect(code).toBe(2);
  });
});

import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
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

describe('a fuzz run that something goes wrong with', () => {
  const once = ['fuzz', '--runs', '40', '--seed', 'cli'];

  it('goes on without a corpus that it cannot write, with one line', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'taken'), '');
    const { code, out } = await run([...once, '--corpus', 'taken'], cwd);
    expect(out.split('\n').filter((line) => line.includes('corpus: '))).toHaveLength(1);
    expect(code).toBe(0);
  });

  it('leaves out a file of the corpus that it cannot read, and names it', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'corpus'));
    await writeFile(join(cwd, 'corpus/junk.hex'), '10 0c zz');
    const { code, out } = await run([...once, '--corpus', 'corpus'], cwd);
    expect(out).toMatch(/corpus: junk\.hex is left out: [^\n]+\n/);
    expect(code).toBe(0);
  });

  it('says so when findings cannot be saved, and still ends with 1', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'taken'), '');
    const broker = await listen(createBroker({ faults: ['v3/3.12~one-pingresp-each'] }), { port: 0 });
    try {
      const args = ['-t', `127.0.0.1:${broker.port}`, '--only', 'packets', '--runs', '40', '--seed', 'cli'];
      const { code, err } = await run(['fuzz', ...args, '--out', 'taken'], cwd);
      expect(err).toMatch(/^mqtt-conform: cannot save findings in taken: [^\n]+\n$/);
      expect(code).toBe(1);
    } finally {
      await broker.close();
    }
  });

  it('names what it lost when the target goes away for good', { timeout: 60_000 }, async () => {
    const core = createBroker();
    let connections = 0;
    let isAtWork = () => {};
    const working = new Promise<void>((resolve) => (isAtWork = resolve));
    const accept: typeof core.accept = (link) => {
      if (++connections === 300) isAtWork();
      return core.accept(link);
    };
    const broker = await listen({ ...core, accept }, { port: 0 });
    const args = ['-t', `127.0.0.1:${broker.port}`, '--max-time', '60s', '--timeout', '200ms', '--seed', 'cli'];
    const running = run(['fuzz', ...args]);
    await working;
    await broker.close();
    const { code, out } = await running;
    expect(out).toContain('the target is lost: ');
    expect(code).toBe(1);
  });
});

describe('run --noise', () => {
  it('gives the verdicts of a run without', { timeout: 60_000 }, async () => {
    const broker = await listen(createBroker(), { port: 0 });
    try {
      const suite = ['run', '-t', `127.0.0.1:${broker.port}`, '3.12', '--no-baseline'];
      const quiet = await run(suite);
      const noisy = await run([...suite, '--noise=50', '--seed', 'cli']);
      expect(noisy.out).toContain('with noise: ');
      expect(noisy.out).toContain('--seed cli');
      expect(countsOf(quiet.out)).not.toEqual([]);
      expect(countsOf(noisy.out)).toEqual(countsOf(quiet.out));
      expect([noisy.code, quiet.code]).toEqual([0, 0]);
    } finally {
      await broker.close();
    }
  });

  function countsOf(out: string): readonly string[] {
    return out.match(/\d+ (passed|failed)/g) ?? [];
  }
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

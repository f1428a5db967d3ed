import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBroker } from '../../reference-broker/broker.ts';
import { listen } from '../../reference-broker/listen.ts';
import { freePort } from '../port.ts';
import type { Io } from './io.ts';
import { main } from './program.ts';
import { temporaryFolder } from './temporary.fixture.ts';

async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const cwd = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text);
  return cwd;
}

async function run(args: readonly string[], io: Partial<Io> = {}) {
  const [out, err] = [[] as string[], [] as string[]];
  const code = await main(args, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: {},
    cwd: io.cwd ?? (await folder()),
    ...io,
  });
  return { code, out: out.join(''), err: err.join('') };
}

const quick = 'v3/4.3.1/not-acknowledged';

describe('usage errors are one clear line and exit code 2', () => {
  const files = {
    'twice.yaml': `- case: ${quick}\n  expect: fail\n- case: ${quick}\n  expect: fail\n`,
    'unknown.yaml': '\n- case: v3/4.3.1/not-acknowledge\n  expect: fail\n',
    'selectors.txt': '# only this\n4.3.11\n',
    'garbage.json': 'hello',
    'a-file': '',
  };
  const target = ['-t', '127.0.0.1:9'];

  it.each([
    [['-t', 'http://localhost'], 'http:// is not supported'],
    [['-t', 'local host'], 'not an address'],
    [['--tagret', 'x'], "unknown option '--tagret' (Did you mean --target?)"],
    [['-t'], 'argument missing'],
    [['4.3.11'], "'4.3.11' selects no case; did you mean 4.3.1"],
    [['@selectors.txt'], "'4.3.11' selects no case"],
    [['@a-file'], 'a-file has no selector'],
    [['@missing.txt'], 'cannot read the selectors in missing.txt: no such file'],
    [['-x', 'nothing-of-the-kind'], "'nothing-of-the-kind' selects no case"],
    [['4.3.1', '-x', '4.3.1'], 'no case is selected: --exclude 4.3.1 leaves none'],
    [['--level', 'mist'], "--level: 'mist' is none of must, should, may"],
    [['--mqtt', '4'], "--mqtt: '4' is none of 3.1.1, 5, 5.0"],
    [['--timeout', '10'], "--timeout: '10' is no duration; write 500ms, 30s or 2m"],
    [['--max-time', '30d'], "--max-time: '30d' is no duration"],
    [['-j', '0'], "--jobs: '0' is no whole number from 1 to 10000"],
    [['--bail', '3.3'], "--bail: '3.3' is no whole number from 1"],
    [['--prefix', 'a/#'], "--prefix: 'a/#' can't begin a topic"],
    [['--trace', 'some'], "argument 'some' is invalid"],
    [['-r', 'xml'], "--report: 'xml' is none of junit, json, ndjson"],
    [['--out', 'x'], '--out: no report is asked for; add -r junit'],
    [['-r', 'junit', '--out', 'a-file'], 'cannot write the report a-file/junit.xml: a part of the path is a file'],
    [[...target, '--baseline', 'missing.yaml'], 'cannot read the baseline missing.yaml'],
    [[...target, '--baseline', 'twice.yaml'], `twice.yaml:3: ${quick} is listed twice (line 1)`],
    [
      [...target, '--baseline', 'unknown.yaml'],
      `unknown.yaml:2: there is no case v3/4.3.1/not-acknowledge; did you mean ${quick}`,
    ],
    [[...target, 'list'], "'list' is a command: write it before all options"],
    [['explain', 'v3/4.3.3-222'], 'did you mean v3/4.3.3-2'],
    [['explain'], "missing required argument 'id'"],
    [['report', 'missing.json'], 'cannot read missing.json: no such file'],
    [['report', 'a.json', 'b.json'], 'several reports are put side by side by -r md'],
    [['report', 'a.json', '-r', 'md', '--name', 'a,b'], '--name: 2 names for 1 report'],
    [['report', 'garbage.json'], 'garbage.json:1: this is no report of mqtt-conform'],
    [['baseline', 'write'], 'give --target to run against, or --from REPORT'],
    [['baseline', 'check'], 'cannot read the baseline mqtt-conform.baseline.yaml'],
    [['baseline', 'add', 'v3/4.3.1/x'], 'there is no case v3/4.3.1/x'],
    [['baseline', 'add', quick, '--expires', 'soon'], '"expires" has to be a date'],
    [['broker', '--break', 'v3/3.1.2-240'], 'there is no requirement v3/3.1.2-240; did you mean v3/3.1.2-2'],
    [['broker', '--choice', 'overlaping=each'], "there is no choice 'overlaping'"],
    [['broker', '--port', '65536'], "'65536' is no whole number from 0 to 65535"],
  ])('%j', async (args, message) => {
    const { code, out, err } = await run(args, { cwd: await folder(files) });
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^mqtt-conform: [^\n]+\n$/);
    expect(err).toContain(message);
  });
});

describe('help', () => {
  it.each([['--help'], ['run', '--help'], ['-h']])('%s %s', async (...args) => {
    const { code, out, err } = await run(args);
    expect([code, err]).toEqual([0, '']);
    for (const part of ['COMMANDS', 'TARGET', 'SELECT', 'RUN', 'OUTPUT', 'EXIT CODES', 'EXAMPLES'])
      expect(out).toContain(part);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('names every option of run, and no other', async () => {
    const { out } = await run(['--help']);
    const listed = out.split('EXIT CODES')[0]?.match(/(?<![\w-])--[a-z-]+/g) ?? [];
    const commander = (await run(['baseline', 'write', '--help'])).out.match(/(?<![\w-])--[a-z-]+/g) ?? [];
    const own = new Set(commander.filter((name) => !['--from', '--verbose'].includes(name)));
    expect(new Set(listed.filter((name) => !['--coverage', '--version'].includes(name)))).toEqual(own);
  });

  it('prints the version', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe('run', () => {
  it('shows the embedded reference broker without a target', async () => {
    const { code, out, err } = await run([quick]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('no --target is given: this run shows the embedded reference broker');
    expect(out).toContain('conformant: 1 applicable case, no unexpected failure');
  });

  it('ends with 3 and all reports at a closed port', async () => {
    const cwd = await folder();
    const port = await freePort();
    const { code, out } = await run(['-r', 'junit,json', '-r', 'ndjson'], {
      cwd,
      env: { MQTT_CONFORM_TARGET: `127.0.0.1:${port}` },
    });
    expect(code).toBe(3);
    expect(out).toContain(`no verdict: 127.0.0.1:${port}: connection refused`);
    expect(await readFile(join(cwd, 'mqtt-conform-report', 'junit.xml'), 'utf8')).toContain('errors="1"');
    for (const name of ['report.json', 'events.ndjson'])
      expect(existsSync(join(cwd, 'mqtt-conform-report', name))).toBe(true);
  });

  it('finds, accepts and misses a fault: run, baseline write, run, run against a sound broker', async () => {
    const faulty = await listen(createBroker({ faults: ['v3/4.3.2-2'] }), { port: 0, host: '127.0.0.1' });
    const sound = await listen(createBroker({}), { port: 0, host: '127.0.0.1' });
    const cwd = await folder();
    const against = (port: number, ...more: string[]) =>
      run(['-t', `127.0.0.1:${port}`, 'v3/4.3.2/acknowledged', '--timeout', '300ms', ...more], { cwd });
    try {
      const failed = await against(faulty.port, '-r', 'ndjson');
      expect(failed.code).toBe(1);
      expect(failed.out).toContain('expected   PUBACK with packetId');
      expect(failed.out).toContain('npx mqtt-conform baseline write --from mqtt-conform-report/events.ndjson');

      const written = await run(['baseline', 'write', '--from', 'mqtt-conform-report/events.ndjson'], { cwd });
      expect(written.out).toBe('mqtt-conform.baseline.yaml: 1 added, 0 changed, 0 removed, 1 in all\n');
      expect((await against(faulty.port)).code).toBe(0);

      const stale = await against(sound.port);
      expect(stale.code).toBe(1);
      expect(stale.out).toContain('mqtt-conform.baseline.yaml:4 lists it as fail, but it passes now: remove the entry');
      expect((await against(sound.port, '--no-baseline')).code).toBe(0);

      const again = await run(['report', 'mqtt-conform-report/events.ndjson', '-r', 'junit', '--out', 'again'], {
        cwd,
      });
      expect(again.code).toBe(0);
      expect(again.out).toContain('not conformant: 1 failed');
      expect(await readFile(join(cwd, 'again', 'junit.xml'), 'utf8')).toContain('failures="1"');
    } finally {
      await Promise.all([faulty.close(), sound.close()]);
    }
  });

  it('writes its reports when it is interrupted', async () => {
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const interruption = new AbortController();
    silent.once('connection', () => interruption.abort());
    const cwd = await folder();
    const { port } = silent.address() as net.AddressInfo;
    const { code, out } = await run(['-t', `127.0.0.1:${port}`, '-r', 'junit'], { cwd, signal: interruption.signal });
    silent.close();
    expect(code).toBe(130);
    expect(out).toContain('no verdict: interrupted');
    expect(await readFile(join(cwd, 'mqtt-conform-report', 'junit.xml'), 'utf8')).toContain('no verdict: interrupted');
  });
});

describe('list and explain', () => {
  it('lists cases, as text and as data', async () => {
    const { out } = await run(['list', '4.3.1']);
    expect(out).toContain(`  ${quick}`);
    const data = JSON.parse((await run(['list', '4.3.1', '-r', 'json'])).out) as { id: string }[];
    expect(out.trimEnd().endsWith(`${data.length} cases`)).toBe(true);
  });

  it('accounts for every requirement', async () => {
    const { out } = await run(['list', '--coverage']);
    expect(out).toMatch(/^v3\/4\.3\.2-2 +MUST +both +v3\/4\.3\.2\//m);
    expect(out).toMatch(/^v3\/2\.3\.1-2 +MUST +client +not observable: Binds the client/m);
    const rows = JSON.parse((await run(['list', '--coverage', '-r', 'json'])).out) as Record<string, unknown>[];
    expect(out.trimEnd().split('\n').at(-1)).toMatch(new RegExp(`^${rows.length} requirements: `));
    expect(rows.find(({ id }) => id === 'v3/2.3.1-2')).toMatchObject({ level: 'MUST', party: 'client', cases: [] });
  });

  it('explains a requirement, a section and a case', async () => {
    const requirement = await run(['explain', 'v3/4.3.2-2']);
    expect(requirement.out).toContain('level      MUST, binds client and server');
    expect(requirement.out).toContain('https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/');
    expect((await run(['explain', '4.3.2'])).out).toContain(requirement.out.trim());
    const own = await run(['explain', quick]);
    expect(own.out).toContain('section    MQTT 3.1.1, 4.3.1');
  });
});

describe('baseline', () => {
  it('keeps comments, prunes what is over, and checks without a run', async () => {
    const cwd = await folder({
      'mqtt-conform.baseline.yaml': `# About our broker.\n\n# the first\n- case: ${quick}\n  expect: fail # since 1.2\n  expires: 2020-01-01\n`,
    });
    expect(await run(['baseline', 'check'], { cwd })).toMatchObject({
      code: 1,
      out: expect.stringContaining(`mqtt-conform.baseline.yaml:4: ${quick} expired 2020-01-01`),
    });
    const added = await run(
      ['baseline', 'add', 'v3/4.3.2/acknowledged', '--reason', 'because: "x"', '--expect', 'crash'],
      { cwd },
    );
    expect(added.code).toBe(0);
    const text = () => readFile(join(cwd, 'mqtt-conform.baseline.yaml'), 'utf8');
    expect(await text()).toContain('expect: fail # since 1.2');
    expect((await run(['baseline', 'prune'], { cwd })).out).toContain(`removed ${quick}: expired 2020-01-01`);
    expect(await text()).toBe(
      '# About our broker.\n\n- case: v3/4.3.2/acknowledged\n  expect: crash\n  reason: \'because: "x"\'\n',
    );
    expect((await run(['baseline', 'check'], { cwd })).code).toBe(0);
  });
});

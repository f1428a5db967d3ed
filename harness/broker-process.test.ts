/** A process that is started, ends in every way there is, and leaves nothing behind. */

import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type BrokerCommand, BrokerProcess } from './broker-process.ts';
import { mortalBroker } from './mortal-broker.fixture.ts';
import { freePort } from './port.ts';

/** A deadline for a slow machine: nothing takes so long. */
const patienceMs = 50_000;
const started: BrokerProcess[] = [];

afterEach(async () => {
  for (const each of started.splice(0)) await each.stop();
});

function start(command: string, options: Partial<BrokerCommand> = {}): BrokerProcess {
  const broker = new BrokerProcess({ command, port: 9, ...options });
  started.push(broker);
  broker.start();
  return broker;
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** A broker that listens, and where. */
async function serving(): Promise<{ broker: BrokerProcess; port: number }> {
  const port = await freePort();
  const broker = start((await mortalBroker()).replace('{port}', String(port)), { port });
  await listening(port);
  return { broker, port };
}

async function listening(port: number): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await listens(port))) {
    if (performance.now() > endMs) throw new Error('the broker does not listen');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('the end of a process', () => {
  it.each([
    ['exit 3', 'exit code 3', 'ended with exit code 3', true],
    ['exit 0', 'exit code 0', 'ended with exit code 0', false],
    ['kill -SEGV $$', 'SIGSEGV', 'ended by SIGSEGV', true],
    ["sh -c 'kill -SEGV $$'; exit $?", 'SIGSEGV', 'ended by SIGSEGV (exit code 139)', true],
    ["sh -c 'kill -KILL $$'; exit $?", 'SIGKILL', 'ended by SIGKILL (exit code 137)', false],
    ['no-such-broker', 'exit code 127', 'ended with exit code 127 (the shell finds no such command)', true],
    ['"', 'exit code 2', 'ended with exit code 2', true],
  ])('%s', async (command, by, how, isOfItself) => {
    const broker = start(command);
    expect(await broker.endsWithin(patienceMs)).toMatchObject({ by, how, isOfItself, wasKilled: false });
    expect(broker.end).toBeDefined();
    expect(broker.pid).toBeUndefined();
    expect(broker.remark).toMatch(/^the broker ended [^\n]+$/);
  });

  it('is that of a command that cannot even be started', async () => {
    const broker = start('exit 0', { cwd: '/nowhere/at/all' });
    expect(await broker.endsWithin(patienceMs)).toMatchObject({ how: 'could not be started', isOfItself: false });
    expect(broker.remark).toMatch(/ENOENT/);
  });

  it('comes with the last lines, however much there was', async () => {
    const broker = start('i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done; echo the last >&2; exit 1');
    const { said = [] } = (await broker.endsWithin(patienceMs)) ?? {};
    expect(said).toHaveLength(20);
    expect([said[0], said.at(-2), said.at(-1)]).toEqual(['line 19981', 'line 19999', 'the last']);
  });

  it('is told in one line that says why', async () => {
    const broker = start("echo begin; echo 'Error: Address already in use' >&2; echo end; exit 1");
    await broker.endsWithin(patienceMs);
    expect(broker.remark).toBe('the broker ended with exit code 1: Error: Address already in use');
  });
});

describe('a process that serves', () => {
  it.runIf(process.platform === 'linux')('has the number of the one that listens, not of the shell', async () => {
    const { broker, port } = await serving();
    const { pid } = broker;
    expect(broker.remark).toBe(`the process that was started runs, and says: listens, process ${pid}`);
    await broker.restart();
    await listening(port);
    expect(broker.pid).toBeGreaterThan(0);
    expect(broker.pid).not.toBe(pid);
  });

  it('is gone when it is stopped, and never starts again', async () => {
    const { broker, port } = await serving();
    await broker.stop();
    expect(broker.end?.by).toMatch(/SIGTERM/);
    expect(await listens(port)).toBe(false);
    expect(await broker.restart()).toBe(false);
    await broker.stop();
  });

  it('is gone with all that it started, and when it does not end by itself', async () => {
    const port = await freePort();
    const command = (await mortalBroker()).replace('{port}', String(port));
    const broker = start(`trap '' TERM; ${command} & while true; do sleep 1; done`, { port });
    await listening(port);
    await broker.stop();
    expect(await listens(port)).toBe(false);
  });

  it('tells that it was killed', async () => {
    const { broker } = await serving();
    expect(await broker.kill()).toMatchObject({ wasKilled: true, how: 'was killed, for it did not serve any more' });
  });
});

it('is not started again more often than it may', async () => {
  const broker = start('exit 1', { restartsAtMost: 2 });
  const again = [await broker.restart(), await broker.restart(), await broker.restart()];
  expect([...again, broker.restartsLeft]).toEqual([true, true, false, 0]);
});

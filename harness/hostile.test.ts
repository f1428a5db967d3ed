/** Targets that refuse, flood, stall, lie or die: a run ends by its deadline, with the right verdict and exit code. */

import net from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createBroker } from '../reference-broker/broker.ts';
import { qos } from '../suites/4.3-qos.ts';
import type { CaseResult, RunEvent } from './events.ts';
import { type RunOptions, run } from './run.ts';
import { allCases } from './select.ts';
import { parseTarget } from './target.ts';
import * as build from './wire/build.ts';
import { encode } from './wire/encode.ts';

type Behaviour = (socket: net.Socket) => void;

const servers: { server: net.Server; sockets: Set<net.Socket> }[] = [];

afterEach(async () => {
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server on a loopback port whose n-th connection (from 1) behaves as told. */
async function serve(behaviour: (n: number) => Behaviour): Promise<{ port: number; stop: () => void }> {
  let connections = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    behaviour(++connections)(socket);
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as net.AddressInfo).port, stop };
}

/** The reference broker, one core for all connections of a server. */
function healthy(onBytes: (bytes: Buffer, socket: net.Socket) => boolean = () => false): Behaviour {
  const broker = createBroker();
  return (socket) => {
    const connection = broker.accept({ send: (bytes) => socket.write(bytes), close: () => socket.end() });
    socket.on('data', (bytes) => onBytes(bytes, socket) || connection.feed(bytes));
    socket.on('close', () => connection.ended());
  };
}

const connack = Buffer.from(encode(build.connack(), 'v3'));
/** A few cases, one of which sends a second transmission of a QoS 2 message: what some servers here die of. */
const cases = allCases([qos]).filter(
  ({ info }) => /4\.3\.[12]\/|retransmission-is-delivered-once|sender-flow/.test(info.id) && !info.id.includes('dup'),
);

async function judge(port: number, options: Partial<RunOptions> = {}) {
  const events: RunEvent[] = [];
  const all = { target: parseTarget(`127.0.0.1:${port}`), cases, timeoutMs: 400, toleranceMs: 200, ...options };
  for await (const event of run(all)) events.push(event);
  const finished = events.at(-1);
  if (finished?.type !== 'run-finished') throw new Error('the run did not finish');
  const results = events.flatMap((event): CaseResult[] => (event.type === 'case-finished' ? [event.result] : []));
  expect(results, 'each case has one result').toHaveLength(all.cases.length);
  const [started] = events;
  const notSpoken = started?.type === 'run-started' ? started.notSpoken : undefined;
  return { ...finished, results, notSpoken, verdicts: new Set(results.map(({ verdict }) => verdict)) };
}

describe('a target that is no broker gives no verdict', () => {
  it.each<[string, Behaviour, RegExp]>([
    ['accepts and says nothing', () => {}, /no answer within/],
    ['closes at once', (socket) => socket.destroy(), /connection closed/],
    ['resets at once', (socket) => socket.resetAndDestroy(), /closed|ECONNRESET/],
    [
      'speaks another protocol',
      (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      /28 bytes that are no whole packet/,
    ],
    ['answers before the question', (socket) => socket.write(connack), /no SUBACK/],
    [
      'sends CONNACK twice',
      (socket) => socket.once('data', () => socket.write(Buffer.concat([connack, connack]))),
      /second time/,
    ],
    [
      'announces a PUBLISH of 256 MB',
      (socket) => socket.write(Buffer.from('30ffffff7f0001', 'hex')),
      /announced a packet of 268435460 bytes/,
    ],
    [
      'sends an endless stream',
      (socket) => {
        const flood = Buffer.alloc(1 << 16, encode(build.publish({ topic: 'flood', payload: 'x'.repeat(100) }), 'v3'));
        const pour = () => {
          while (!socket.destroyed && socket.write(flood));
        };
        socket.on('drain', pour);
        socket.once('data', () => {
          socket.write(connack);
          pour();
        });
      },
      /./,
    ],
    [
      'sends a byte at a time, slowly',
      (socket) => {
        let sent = 0;
        const timer = setInterval(() => socket.write(Buffer.of(0x20 + (sent++ % 2))), 100);
        socket.on('close', () => clearInterval(timer));
      },
      /./,
    ],
  ])('%s', async (_, behaviour, problem) => {
    const { port } = await serve(() => behaviour);
    const before = process.memoryUsage().rss;
    const { exitCode, verdicts, problem: said } = await judge(port);
    expect(exitCode).toBe(3);
    expect(said).toMatch(problem);
    expect([...verdicts]).toEqual(['could-not-run']);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  it('refuses the connection', async () => {
    const { port, stop } = await serve(() => () => {});
    stop();
    const { exitCode, problem } = await judge(port);
    expect(exitCode).toBe(3);
    expect(problem).toMatch(/connection refused/);
  });
});

/** The reference broker for clients of one Protocol Level; others get these bytes and the end of the connection. */
function only(level: number, answer: readonly number[]): Behaviour {
  return healthy((bytes, socket) => {
    if (bytes[0] !== 0x10 || bytes[8] === level) return false;
    socket.end(Uint8Array.from(answer));
    return true;
  });
}

describe('a target of one version', () => {
  it.each<[string, number, readonly number[], 'v3' | 'v5', RegExp]>([
    ['refuses 5.0 as 3.1.1 has it', 4, [0x20, 2, 0, 1], 'v5', /^sends CONNACK 0x01 in the form of 3.1.1, as v3/],
    ['refuses 5.0 with another code', 4, [0x20, 2, 0, 2], 'v5', /CONNACK 0x02 in the form of 3.1.1, not as v3/],
    ['closes on 5.0', 4, [], 'v5', /^closes the connection without CONNACK, where MQTT 3.1.1 asks/],
    ['refuses 3.1.1', 5, [0x20, 2, 0, 1], 'v3', /^sends CONNACK 0x01, and closes/],
    ['closes on 3.1.1', 5, [], 'v3', /^closes the connection without CONNACK, as it may/],
  ])('%s', async (_, level, answer, lacking, how) => {
    const one = only(level, answer);
    const { port } = await serve(() => one);
    const { exitCode, results, notSpoken } = await judge(port, { timeoutMs: 10_000 });
    expect(notSpoken?.[lacking]).toMatch(how);
    expect(exitCode).toBe(0);
    for (const { case: id, verdict } of results) {
      expect(verdict, id).toBe(id.startsWith(lacking) ? 'not-applicable' : 'pass');
    }
    const asked = await judge(port, { cases: cases.filter(({ version }) => version === lacking), timeoutMs: 10_000 });
    expect(asked.exitCode).toBe(3);
    if (answer.length > 0) expect(asked.problem).toMatch(/the target does not speak MQTT .*; try --mqtt/);
  });

  it('gives no verdict on a version that it speaks badly', async () => {
    // A CONNACK of 5.0 with a Property Length that leads beyond it.
    const one = only(4, [0x20, 3, 0, 0, 9]);
    const { port } = await serve(() => one);
    const { exitCode, results, notSpoken } = await judge(port, { timeoutMs: 10_000 });
    expect(notSpoken).toBeUndefined();
    expect(exitCode).toBe(3);
    for (const { case: id, verdict } of results) {
      expect(verdict, id).toBe(id.startsWith('v5') ? 'could-not-run' : 'pass');
    }
  });
});

describe('a target that fails in the middle', () => {
  it('is blamed on the case at work when it stops serving', async () => {
    const serveOne = healthy((bytes, socket) => {
      // Dies of the second transmission of a QoS 2 message.
      if ((bytes[0] as number) !== 0x3c) return false;
      mortal.stop();
      socket.destroy();
      return true;
    });
    const mortal = await serve(() => serveOne);
    const { exitCode, results, problem } = await judge(mortal.port, { jobs: 1 });
    expect(exitCode).toBe(1);
    expect(problem).toMatch(/the target was lost/);
    expect(results.filter(({ verdict }) => verdict === 'crash').map((each) => each.case)).toEqual([
      'v3/4.3.3/retransmission-is-delivered-once',
    ]);
    expect(results.some(({ verdict }) => verdict === 'fail')).toBe(false);
  });

  it('names one of the cases at work when several were', async () => {
    const serveOne = healthy((bytes, socket) => {
      if ((bytes[0] as number) !== 0x3c) return false;
      mortal.stop();
      socket.destroy();
      return true;
    });
    const mortal = await serve(() => serveOne);
    const { exitCode, results } = await judge(mortal.port, { jobs: 128 });
    expect(exitCode).toBe(1);
    expect(results.filter(({ verdict }) => verdict === 'crash')).toHaveLength(1);
    expect(results.some(({ verdict }) => verdict === 'fail')).toBe(false);
  });

  it.each([1, 128])('is blamed when a supervisor restarts it at once, with %i jobs', async (jobs) => {
    const dying = (): Behaviour => {
      const before = healthy((bytes) => {
        if ((bytes[0] as number) !== 0x3c) return false;
        // Closes every connection, also those that have nothing to do with the case, and serves on with nothing in memory.
        life = dying();
        for (const socket of all.splice(0)) socket.destroy();
        return true;
      });
      const all: net.Socket[] = [];
      return (socket) => {
        all.push(socket);
        before(socket);
      };
    };
    let life = dying();
    const { port } = await serve(() => (socket) => life(socket));
    const { exitCode, results, problem } = await judge(port, { jobs, timeoutMs: 10_000 });
    expect(exitCode).toBe(1);
    expect(problem).toMatch(/it was restarted/);
    const crashed = results.filter(({ verdict }) => verdict === 'crash').map((each) => each.case);
    expect(crashed).toHaveLength(1);
    if (jobs === 1) expect(crashed).toEqual(['v3/4.3.3/retransmission-is-delivered-once']);
    expect(results.some(({ verdict }) => verdict === 'fail')).toBe(false);
  });

  it('is not blamed when it closes the connection of a client for a reason of its own', async () => {
    let closed = 0;
    const serveOne = healthy((bytes, socket) => {
      // The first client with Keep Alive 0: no case here has one.
      if (bytes[0] === 0x10 && bytes.readUInt16BE(10) === 0 && closed++ === 0) setTimeout(() => socket.destroy(), 20);
      return false;
    });
    const { port } = await serve(() => serveOne);
    const { exitCode, verdicts } = await judge(port, { jobs: 1, timeoutMs: 10_000 });
    expect(closed).toBe(2);
    expect(exitCode).toBe(0);
    expect([...verdicts]).toEqual(['pass']);
  });

  it.each<[string, Behaviour]>([
    ['says nothing more', () => {}],
    ['resets every connection', (socket) => socket.resetAndDestroy()],
    ['sends garbage', (socket) => socket.write(Buffer.alloc(5000, 0xff))],
  ])('%s', async (_, behaviour) => {
    const well = healthy();
    const { port } = await serve((n) => (n <= 60 ? well : behaviour));
    const { exitCode, verdicts, problem } = await judge(port, { jobs: 1 });
    expect([1, 3]).toContain(exitCode);
    expect(problem).toMatch(/the target was lost/);
    expect(verdicts.has('could-not-run')).toBe(true);
  });
});

describe('a run', () => {
  it('ends conformant on the reference broker, one at a time and all at once', async () => {
    const well = healthy();
    const { port } = await serve(() => well);
    for (const jobs of [1, 128]) {
      const { exitCode, verdicts } = await judge(port, { jobs, timeoutMs: 10_000 });
      expect(exitCode).toBe(0);
      expect([...verdicts]).toEqual(['pass']);
    }
  });

  it('waits for a target that comes up late', async () => {
    const { port, stop } = await serve(() => () => {});
    stop();
    const well = healthy();
    const late = net.createServer((socket) => {
      socket.on('error', () => {});
      well(socket);
    });
    setTimeout(() => late.listen(port, '127.0.0.1'), 300);
    const { exitCode } = await judge(port, { waitForMs: 30_000, timeoutMs: 10_000 });
    await new Promise((resolve) => late.close(resolve));
    expect(exitCode).toBe(0);
  });

  it('stops when it is interrupted, with every case in the report', async () => {
    const { port } = await serve(() => () => {});
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 50);
    const { exitCode, problem } = await judge(port, { signal: abort.signal, timeoutMs: 60_000 });
    expect(exitCode).toBe(130);
    expect(problem).toBe('interrupted');
  });

  it('stops when its time is up', async () => {
    const { port } = await serve(() => () => {});
    const { exitCode, problem } = await judge(port, { maxTimeMs: 50, timeoutMs: 60_000 });
    expect(exitCode).toBe(3);
    expect(problem).toMatch(/--max-time/);
  });

  it('calls a case flaky whose attempts differ, and stops at the failures it was told', async () => {
    let repeats = 0;
    const serveOne = healthy((bytes, socket) => {
      if ((bytes[0] as number) !== 0x3c || ++repeats > 1) return false;
      socket.destroy();
      return true;
    });
    const { port } = await serve(() => serveOne);
    const { exitCode, results } = await judge(port, { retries: 1, timeoutMs: 5_000 });
    expect(exitCode).toBe(1);
    expect(results.filter(({ verdict }) => verdict !== 'pass')).toMatchObject([
      { case: 'v3/4.3.3/retransmission-is-delivered-once', verdict: 'flaky', attempts: 2 },
    ]);
    repeats = 0;
    const stopped = await judge(port, { bail: 1, jobs: 1, timeoutMs: 5_000 });
    expect(stopped.problem).toMatch(/--bail/);
    expect(stopped.exitCode).toBe(1);
  });
});

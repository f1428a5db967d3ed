import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { plain } from '../harness/report/text.ts';
import type { Version } from '../harness/spec/index.ts';
import * as build from '../harness/wire/build.ts';
import { type Bend, encode } from '../harness/wire/encode.ts';
import type { Packet } from '../harness/wire/packet.ts';
import { parseScript } from './foreign.ts';
import { generate, kinds } from './generate.ts';
import { statements } from './print/caseSource.ts';
import { annotated, caseSource, shellLines } from './print.ts';
import { caseName } from './record.ts';
import type { Script } from './script.ts';
import { bytesOf } from './written.ts';

/** With clients that stop reading, and messages that are filled up. */
const stalled = Array.from({ length: 3 }, (_, at) => generate('print', 200 + 400 * at, 'sessions'));
const scripts = [
  ...kinds.flatMap((kind) => Array.from({ length: 60 }, (_, index) => generate('print', index, kind))),
  ...stalled,
];

const example: Script = {
  clients: [{ version: 'v3' }, { version: 'v3' }],
  steps: [
    {
      client: 0,
      do: 'send',
      packet: { type: 'SUBSCRIBE', packetId: 1, filters: [{ filter: 'CASE00/a', qos: 1 }] },
      bend: { 'filters.0.options': [3] },
    },
    { client: 1, do: 'raw', hex: 'c000c100' },
    { client: 1, do: 'wait', ms: 1500 },
    { client: 0, do: 'drop' },
  ],
};

describe('annotated', () => {
  it('reads each packet, and marks what is damaged', () => {
    const lines = annotated(example, { paint: plain, columns: 120 });
    expect(lines).toEqual([
      'client 1 →  SUBSCRIBE id=1 CASE00/a QoS 1  82 0D 00 01 00 08 43 41 53 45 30 30 2F 61 03',
      `${' '.repeat(12)}${' '.repeat(73)}^^ filters.0.options is 03`,
      'client 2 →  PINGREQ                        C0 00',
      'client 2 →  bytes                          C1 00',
      `${' '.repeat(43)}^^ the flags of PINGREQ are 0001 instead of 0000`,
      'client 2 ·  1.5 s pass',
      'client 1 ·  the client drops the connection (RST)',
    ]);
  });

  it('has lines for every script, and none too wide', () => {
    for (const script of scripts) {
      const lines = annotated(script, { paint: plain });
      expect(lines.length).toBeGreaterThanOrEqual(script.steps.length);
      for (const line of lines) expect(line).not.toMatch(/[\n\r\u001b]|undefined/);
    }
  });
});

/** The bytes of each connection of a script, with the PINGREQ of its fences. */
function connectionsOf(script: Script): string[] {
  const done: string[] = [];
  const open = new Map<number, string>();
  const end = (client: number) => {
    const bytes = open.get(client);
    if (bytes !== undefined) done.push(bytes);
    open.delete(client);
  };
  for (const step of script.steps) {
    const version = script.clients[step.client]?.version ?? 'v3';
    if (step.do === 'send' || step.do === 'raw') {
      open.set(step.client, (open.get(step.client) ?? '') + Buffer.from(bytesOf(step, version)).toString('hex'));
    } else if (step.do === 'fence' && open.has(step.client)) open.set(step.client, `${open.get(step.client)}c000`);
    else if (step.do === 'drop' || step.do === 'close') end(step.client);
  }
  for (const client of [...open.keys()]) end(client);
  return done.sort();
}

/** What nc would send, line by line, as a POSIX shell runs them. */
function sentByShell(lines: readonly string[]): string[] {
  const nc = 'nc() { x=$(od -An -v -tx1 | tr -d \' \\n\'); echo "$x"; }\nsleep() { :; }\n';
  const output = execFileSync('sh', ['-c', nc + lines.join('\n')], { encoding: 'utf8' });
  return output.split('\n').filter(Boolean).sort();
}

describe('shellLines', () => {
  it('are one printf for one connection, which is read back as the same bytes', () => {
    const script: Script = {
      clients: [{ version: 'v3' }],
      steps: [
        { client: 0, do: 'raw', hex: '100c00' },
        { client: 0, do: 'raw', hex: 'ff25' },
      ],
    };
    const lines = shellLines(script, 'localhost', 1883);
    expect(lines).toEqual(["printf '\\020\\014\\000\\377\\045' | nc localhost 1883"]);
    expect(parseScript(lines.join('\n'), 'x').steps).toEqual([{ client: 0, do: 'raw', hex: '100c00ff25' }]);
  });

  it('let several connections wait for their turns, and say what nc cannot do', () => {
    expect(shellLines(example, 'localhost', 1883)).toEqual([
      '# nc ends a connection with FIN, also where the script drops it with RST.',
      "{ printf '\\202\\015\\000\\001\\000\\010\\103\\101\\123\\105\\060\\060\\057\\141\\003'; sleep 2.1; } | nc localhost 1883 &",
      "{ sleep 0.3; printf '\\300\\000\\301\\000'; sleep 1.5; } | nc localhost 1883 &",
      'wait',
    ]);
  });

  it('send the bytes of every script', () => {
    const chosen = scripts.filter(
      ({ steps }, index) => index % 6 === 0 && !steps.some((step) => step.do === 'raw' && step.hex === ''),
    );
    for (const script of chosen) {
      if (connectionsOf(script).some((bytes) => bytes.length > 20_000)) continue;
      expect(sentByShell(shellLines(script, 'localhost', 1883))).toEqual(connectionsOf(script));
    }
  });
});

/** Runs statements as the body of a case would be, and returns the bytes that each connection got. */
async function sentByCase(script: Script): Promise<string[]> {
  const sent: string[] = [];
  const peerOf = (name: string) => {
    const version: Version = script.clients[Number(name.slice(7)) - 1]?.version ?? 'v3';
    const at = sent.push('') - 1;
    const add = (bytes: Uint8Array) => {
      sent[at] += Buffer.from(bytes).toString('hex');
    };
    return {
      send: (packet: Packet, bend?: Bend) => add(encode(packet, version, bend)),
      sendBytes: (bytes: Uint8Array) => add(bytes),
      fence: async () => add(encode(build.pingreq(), version)),
      drop: () => {},
      halfClose: () => {},
      isClosed: async () => true,
    };
  };
  const context = {
    token: caseName,
    clientId: (name: string) => caseName + name,
    elapse: async () => {},
    open: async (name: string) => peerOf(name),
  };
  const scope = { ...build, context };
  const names = Object.keys(scope);
  const run = new Function(...names, `return (async () => {\n${statements(script).join('\n')}\n})();`);
  await run(...Object.values(scope));
  return sent.sort();
}

describe('caseSource', () => {
  it('sends what the script sends', async () => {
    const filled = stalled.flatMap(statements).filter((line) => /payload: Buffer.alloc\(\d+, 0xff\)/.test(line));
    expect(filled.length).toBeGreaterThan(0);
    for (const script of scripts) expect(await sentByCase(script)).toEqual(connectionsOf(script));
  });

  it('looks like a case that a person has begun', () => {
    const about = {
      id: 'reserved-qos',
      title: "doesn't take QoS 3",
      requirements: ['v3/3.8.3-4'] as const,
      expected: ['the connection closes'],
    };
    expect(caseSource(example, about)).toBe(`{
  id: 'reserved-qos',
  title: 'doesn\\'t take QoS 3',
  covers: ['v3/3.8.3-4'],
  async run(context) {
    const a = await context.open('client 1');
    a.send(subscribe(1, { filter: \`\${context.token}/a\`, qos: 1 }), { 'filters.0.options': [3] });
    const b = await context.open('client 2');
    b.sendBytes(fromHex('c0 00 c1 00'), 'bytes');
    await context.elapse(1500);
    a.drop();
    // Expected: the connection closes
    await b.fence();
  },
},`);
  });
});

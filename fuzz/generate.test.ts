import { describe, expect, it } from 'vitest';
import type { Version } from '../harness/spec/index.ts';
import { decode, Malformed } from '../harness/wire/decode.ts';
import { Framer } from '../harness/wire/frame.ts';
import { checkSender } from '../harness/wire/sender.ts';
import { bends, bendsOf } from './generate/bends.ts';
import { scratch } from './generate/bytes.ts';
import { scenes } from './generate/scenes.ts';
import { generate, type Kind, kindOf, kinds } from './generate.ts';
import { Random } from './random.ts';
import { caseName } from './record.ts';
import type { Script, Step } from './script.ts';
import { bytesOf } from './written.ts';

const some = (only: Kind, count = 400, seed = 'test') =>
  Array.from({ length: count }, (_, index) => generate(seed, index, only));

type Sending = Extract<Step, { do: 'send' | 'raw' }>;
const sendings = ({ steps }: Script) =>
  steps.filter((step): step is Sending => step.do === 'send' || step.do === 'raw');
const versionOf = ({ clients }: Script, { client }: Step) => clients[client]?.version ?? 'v3';

/** Whether a broker has to take the bytes of a client for well-formed packets of it. */
function wellFormed(script: Script, client: number): boolean {
  const version = versionOf(script, { client, do: 'open' });
  const framer = new Framer(version);
  try {
    for (const step of sendings(script)) {
      if (step.client === client) framer.push(bytesOf(step, version));
    }
    for (let frame = framer.next(); frame; frame = framer.next())
      checkSender(decode(frame, version), 'client', version);
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
  return framer.pending === 0;
}

function canBeSent(step: Sending, version: Version): boolean {
  try {
    return bytesOf(step, version).length >= 0;
  } catch {
    return false;
  }
}

describe('scenes', () => {
  it('are well-formed, but for the packets that a server sends', () => {
    for (const { version, before, bytes, title } of scenes) {
      expect(() => decode(bytes, version), title).not.toThrow();
      for (const step of before) {
        if (step.do === 'send')
          expect(() => checkSender(decode(bytesOf(step, version), version), 'client', version)).not.toThrow();
      }
    }
  });

  it('cover every packet type in both versions', () => {
    for (const version of ['v3', 'v5'] as const) {
      const types = new Set(scenes.filter((scene) => scene.version === version).map(({ packet }) => packet.type));
      expect(types.size).toBe(version === 'v3' ? 14 : 15);
    }
  });
});

describe('the table of bends', () => {
  it('can be encoded, each of them, also of the scenes aside', () => {
    const failing = scenes.flatMap((scene) =>
      bendsOf(scene)
        .flat()
        .filter((bend) => !canBeSent({ client: 0, do: 'send', packet: scene.packet, bend }, scene.version)),
    );
    expect(failing).toEqual([]);
  });

  const table = bends(['v3', 'v5']);

  it('has every scene as it is, and bends every part of every packet in each version', () => {
    expect(table.filter(({ bend }) => !bend).map(({ scene }) => scene)).toEqual(scenes);
    const bent = new Set(
      table.map(({ scene, bend = {} }) => `${scene.version} ${scene.packet.type} ${Object.keys(bend)}`),
    );
    for (const { version, packet, parts } of scenes.filter(({ aside }) => !aside)) {
      for (const { name } of parts) expect(bent).toContain(`${version} ${packet.type} ${name}`);
    }
  });

  it('is walked through to its end by the packet scripts', () => {
    const rounds = Math.ceil((table.length * 4) / 3);
    const seen = new Set(
      some('packets', rounds).flatMap(({ steps, clients }) =>
        steps.map((step) =>
          step.do === 'send' ? `${clients[step.client]?.version}${JSON.stringify([step.packet, step.bend])}` : '',
        ),
      ),
    );
    const all = new Set(table.map(({ scene, bend }) => `${scene.version}${JSON.stringify([scene.packet, bend])}`));
    expect([...all].filter((each) => !seen.has(each))).toEqual([]);
  });
});

describe('generate', () => {
  it.each(kinds)('gives the same %s script for the same seed and index, in any order', (kind) => {
    const there = some(kind, 50);
    const back = Array.from({ length: 50 }, (_, index) => generate('test', 49 - index, kind)).reverse();
    expect(back).toEqual(there);
    expect(some(kind, 50, 'other')).not.toEqual(there);
  });

  it('takes the kinds in turn, each with all of its scripts', () => {
    const seen = Array.from({ length: 40 }, (_, index) => kindOf(index));
    expect(new Set(seen)).toEqual(new Set(kinds));
    for (const kind of kinds) {
      const mixed = seen.flatMap((each, index) => (each === kind ? [generate('test', index)] : []));
      expect(mixed).toEqual(some(kind, mixed.length));
    }
  });

  it.each(kinds)('gives %s scripts that are plain JSON and can be sent', (kind) => {
    for (const script of some(kind)) {
      expect(JSON.parse(JSON.stringify(script))).toEqual(script);
      for (const step of script.steps) expect(script.clients[step.client]).toBeDefined();
      for (const step of sendings(script)) expect(bytesOf(step, versionOf(script, step)).length).toBeGreaterThan(0);
    }
  });

  it.each(kinds)('names everything after its case in %s scripts, and never subscribes to all topics', (kind) => {
    for (const { steps } of some(kind, 2000)) {
      for (const step of steps) {
        if (step.do !== 'send' || step.bend) continue;
        const { packet } = step;
        if (packet.type === 'CONNECT') expect(packet.clientId).toMatch(/^(CASE00.*|)$/);
        if (packet.type === 'PUBLISH') expect(packet.topic).toMatch(/^(CASE00.*|\/|)$/);
        if (packet.type === 'SUBSCRIBE')
          for (const { filter } of packet.filters) expect(filter).toMatch(/^((\$share\/g\/)?CASE00\/.*|\/)$/);
      }
    }
  });

  it.each(kinds)('makes %s scripts of one version only where told so', (kind) => {
    for (const version of ['v3', 'v5'] as const) {
      for (let index = 0; index < 300; index++) {
        const { clients, steps } = generate('test', index, kind, [version]);
        for (const client of clients) expect(client.version).toBe(version);
        if (version === 'v3') expect(JSON.stringify(steps)).not.toMatch(/"properties"|\$share/);
      }
    }
  });

  it('subscribes to all topics in no bend either', () => {
    for (const { scene, bend = {} } of bends(['v3', 'v5'])) {
      if (scene.packet.type !== 'SUBSCRIBE') continue;
      const bytes = Buffer.from(bytesOf({ client: 0, do: 'send', packet: scene.packet, bend }, scene.version));
      try {
        const packet = decode(bytes, scene.version);
        if (packet.type !== 'SUBSCRIBE') continue;
        for (const { filter } of packet.filters) expect(filter).not.toMatch(/^(\$share\/[^/]*\/)?[+#](\/[+#])*$/);
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
      }
    }
  });

  it('breaks most packet scripts and leaves some whole', () => {
    const whole = some('packets', 1000).filter((script) => wellFormed(script, 0)).length;
    expect(whole).toBeGreaterThan(50);
    expect(whole).toBeLessThan(500);
  });

  it('keeps the witness of packet and byte scripts well-formed', () => {
    for (const script of [...some('packets'), ...some('bytes')]) {
      if (script.clients.length > 1) expect(wellFormed(script, 1)).toBe(true);
    }
  });

  it('cuts no packet in the middle of the name of the case', () => {
    for (const { steps } of some('bytes', 3000)) {
      const pieces = steps.filter((step) => step.do === 'raw');
      if (pieces.length < 2) continue;
      const whole = (hex: string) => hex.split(Buffer.from(caseName).toString('hex')).length;
      const found = pieces.reduce((sum, { hex }) => sum + whole(hex) - 1, 1);
      expect(found).toBe(whole(pieces.map(({ hex }) => hex).join('')));
    }
  });

  it('leaves no name of the case half', () => {
    const name = Buffer.from(caseName).toString('hex');
    for (let index = 0; index < 2000; index++) {
      const random = new Random('scratch', index);
      const { bytes } = random.pick(scenes);
      const before = Buffer.from(bytes).toString('hex').split(name).length;
      expect(Buffer.from(scratch(random, bytes)).toString('hex').split(name).length).toBeGreaterThanOrEqual(before);
    }
  });

  it('sends each first byte, and each width of Remaining Length', () => {
    const scripts = some('bytes', 20_000);
    const raws = scripts.flatMap(({ steps }) => steps.flatMap((step) => (step.do === 'raw' ? [step.hex] : [])));
    expect(new Set(raws.map((hex) => hex.slice(0, 2))).size).toBe(256);
    const widths = new Set(raws.map((hex) => /^..(?:[89a-f].)*/.exec(hex)?.[0].length));
    for (const width of [1, 2, 3, 4, 5]) expect(widths).toContain(width * 2);
  });
});

describe('session scripts', () => {
  const scripts = some('sessions', 1500);

  it('are well-formed for the most part', () => {
    const offending = scripts.filter(({ steps }) => steps.some((step) => step.do === 'send' && step.bend));
    expect(offending.length).toBeGreaterThan(100);
    expect(offending.length).toBeLessThan(750);
  });

  it('mix versions, share Client Identifiers, drop, close and resume', () => {
    const has = (test: (script: Script) => boolean) => scripts.filter(test).length;
    expect(has(({ clients }) => new Set(clients.map(({ version }) => version)).size === 2)).toBeGreaterThan(300);
    expect(has(({ clients }) => clients.length === 4)).toBeGreaterThan(100);
    for (const what of ['drop', 'close', 'acknowledge', 'fence', 'raw'] as const) {
      expect(has(({ steps }) => steps.some((step) => step.do === what))).toBeGreaterThan(0);
    }
    for (const type of ['PUBREL', 'UNSUBSCRIBE', 'DISCONNECT'] as const) {
      expect(has(({ steps }) => steps.some((step) => step.do === 'send' && step.packet.type === type))).toBeGreaterThan(
        50,
      );
    }
    expect(
      has(({ steps }) => steps.some((step) => step.do === 'send' && step.packet.type === 'PUBLISH' && step.packet.dup)),
    ).toBeGreaterThan(100);
  });

  it('wait seldom, because that is dear, and not long', () => {
    const waits = some('sessions', 8000)
      .map(({ steps }) => steps.flatMap((step) => (step.do === 'wait' ? [step.ms] : [])))
      .filter((each) => each.length > 0);
    expect(waits.length).toBeGreaterThan(4);
    expect(waits.length).toBeLessThan(130);
    for (const ms of waits.flat()) expect(ms).toBeLessThan(3000);
    const sums = waits.map((each) => each.reduce((sum, ms) => sum + ms, 0)).filter((sum) => sum > 3000);
    // Until the delay of a Will is over, and until silence is noticed.
    expect(sums.filter((sum) => sum < 4000).length).toBeLessThan(30);
    expect(sums.filter((sum) => sum >= 4000).length).toBeLessThan(20);
    for (const sum of sums) expect(sum).toBeLessThan(9000);
  });

  it('have a client that stops reading now and then, with at most about 8 MB for it', () => {
    const stalled = some('sessions', 8000).filter(({ steps }) => steps.some((step) => step.do === 'pause'));
    expect(stalled.length).toBeGreaterThan(10);
    expect(stalled.length).toBeLessThan(40);
    const sizes = stalled.map((script) =>
      sendings(script).reduce((sum, step) => sum + bytesOf(step, versionOf(script, step)).length, 0),
    );
    expect(Math.max(...sizes)).toBeGreaterThan(5_000_000);
    expect(Math.max(...sizes)).toBeLessThan(8_500_000);
  });

  it('give every message a payload of its own, which only a repeated packet has again', () => {
    for (const { steps } of scripts) {
      const seen = new Set<string>();
      for (const step of steps) {
        if (step.do !== 'send' || step.bend || step.packet.type !== 'PUBLISH' || step.packet.dup) continue;
        const { payload } = step.packet;
        if (payload === '' || typeof payload !== 'string') continue;
        expect(seen).not.toContain(payload);
        seen.add(payload);
      }
    }
  });
});

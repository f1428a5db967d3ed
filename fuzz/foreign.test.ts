import { describe, expect, it } from 'vitest';
import { UsageError } from '../harness/errors.ts';
import { parseScript } from './foreign.ts';
import { publishOf, send } from './generate/scenes.ts';
import { generate, kinds } from './generate.ts';

const raw = (hex: string, client = 0) => ({ client, do: 'raw', hex });

describe('JSON', () => {
  it.each(kinds)('of every generated %s script is read as it was written', (kind) => {
    for (let index = 0; index < 100; index++) {
      const script = generate('foreign', index, kind);
      expect(parseScript(JSON.stringify(script), 'a.json')).toEqual(script);
    }
  });

  it('of a finding gives its script', () => {
    const script = generate('foreign', 1);
    expect(parseScript(JSON.stringify({ id: 'x', script, trace: [] }, undefined, 2), 'a.json')).toEqual(script);
  });

  const client = { version: 'v3' };
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['a list', [], /needs a list 'clients'/],
    ['a number inside', { clients: 1, steps: [] }, /needs a list 'clients'/],
    ['no clients', { clients: [], steps: [] }, /no clients/],
    ['an unknown version', { clients: [{ version: 'v4' }], steps: [] }, /client 0 needs a version/],
    ['a step of nobody', { clients: [client], steps: [{ client: 1, do: 'drop' }] }, /step 0: there is no client 1/],
    ['a step that is none', { clients: [client], steps: [null] }, /step 0 is no step/],
    ['an unknown act', { clients: [client], steps: [{ client: 0, do: 'jump' }] }, /"jump" is nothing/],
    ['half a byte', { clients: [client], steps: [{ client: 0, do: 'raw', hex: '1' }] }, /two digits/],
    ['an endless wait', { clients: [client], steps: [{ client: 0, do: 'wait', ms: '1' }] }, /milliseconds/],
    [
      'a payload that is filled up to nobody knows what',
      {
        clients: [client],
        steps: [send(publishOf(0, { payload: { text: 'm', length: '9' } as never }))],
      },
      /PUBLISH can't be written/,
    ],
    ['no packet', { clients: [client], steps: [{ client: 0, do: 'send' }] }, /needs a packet/],
    [
      'an unknown packet',
      { clients: [client], steps: [{ client: 0, do: 'send', packet: { type: 'HELLO' } }] },
      /type of the standard/,
    ],
    [
      'a packet without its fields',
      { clients: [client], steps: [{ client: 0, do: 'send', packet: { type: 'PUBLISH' } }] },
      /PUBLISH can't be written/,
    ],
    [
      'a bend of no part',
      { clients: [client], steps: [{ client: 0, do: 'send', packet: { type: 'PINGREQ' }, bend: { topic: [] } }] },
      /no part 'topic'/,
    ],
  ];

  it.each(wrong)('with %s is refused in one line', (_, value, message) => {
    expect(() => parseScript(JSON.stringify(value), 'a.json')).toThrow(UsageError);
    expect(() => parseScript(JSON.stringify(value), 'a.json')).toThrow(message);
    expect(() => parseScript(JSON.stringify(value), 'a.json')).toThrow(/^a\.json[^\n]*$/);
  });

  it('that breaks off is refused', () => {
    expect(() => parseScript('{"clients": [', 'a.json')).toThrow(/^a\.json is no JSON: [^\n]*$/);
  });
});

describe('lines', () => {
  const connect5 = '10 10 00 04 4d 51 54 54 05 02 00 3c 00 00 03 61 62 63';

  it('of hex are bytes of one connection', () => {
    expect(parseScript('10 0c\nc000\r\n\n# a comment\n0xE0, 0x00 # another\n', 'a.hex')).toEqual({
      clients: [{ version: 'v3' }],
      steps: [raw('100c'), raw('c000'), raw('e000')],
    });
  });

  it('may begin with the number of their connection', () => {
    expect(parseScript(`3: c0 00\n1: ${connect5}\n3:e000\n10:0c:00`, 'a.hex')).toEqual({
      clients: [{ version: 'v5' }, { version: 'v3' }],
      steps: [raw('c000', 1), raw(connect5.replaceAll(' ', ''), 0), raw('e000', 1), raw('100c00', 0)],
    });
  });

  it('may be what was typed into a shell', () => {
    const text = "printf '\\020\\014\\300' | nc localhost 1883\nprintf '\\x10\\xff' | nc localhost 1883";
    expect(parseScript(text, 'a.txt').steps).toEqual([raw('100cc0'), raw('10ff')]);
  });

  it('may say what else a connection does', () => {
    expect(
      parseScript(
        '1: c0 00\n1: drop\n2: wait 500 ms\n2: close\n2: fence\n2: acknowledge\n2: pause\n2: resume',
        'a.txt',
      ).steps.slice(1),
    ).toEqual([
      { client: 0, do: 'drop' },
      { client: 1, do: 'wait', ms: 500 },
      { client: 1, do: 'close' },
      { client: 1, do: 'fence' },
      { client: 1, do: 'acknowledge' },
      { client: 1, do: 'pause' },
      { client: 1, do: 'resume' },
    ]);
  });

  it.each(['hello', '10 0', '10 0g', '1: 2: 3', "printf 'abc'", '\\777', '<html>', '10 0c |', '0x'])(
    'such as %j are refused with their number',
    (junk) => {
      expect(() => parseScript(`c0 00\n${junk}\n`, 'a.hex')).toThrow(UsageError);
      expect(() => parseScript(`c0 00\n${junk}\n`, 'a.hex')).toThrow(/^a\.hex: line 2: [^\n]*$/);
    },
  );

  it.each(['', '  \n', '# nothing\n'])('of nothing (%j) are refused', (nothing) => {
    expect(() => parseScript(nothing, 'a.hex')).toThrow(UsageError);
  });

  it('of a large binary file are refused in a line that can be read', () => {
    const junk = String.fromCharCode(...Array.from({ length: 5000 }, (_, at) => at % 256));
    expect(() => parseScript(junk, 'a.bin')).toThrow(/^a\.bin: line 1: [^\n]{1,400}$/);
  });
});

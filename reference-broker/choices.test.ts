/** No case fails on a behaviour that the standard permits: the whole suite passes under every choice, and under mixes of them. */

import { beforeAll, describe, expect, it } from 'vitest';
import type { Clock } from '../harness/clock.ts';
import type { Verdict } from '../harness/events.ts';
import { allCases, type SelectedCase } from '../harness/select.ts';
import type { Transport } from '../harness/transport.ts';
import { chapters } from '../suites/index.ts';
import { type Choices, defaultChoices } from './choices.ts';
import { attempt, capabilitiesOf, type Setting } from './prove.ts';

const cases = allCases(chapters);
/** Those of many packets or bytes say little about choices, and take half of the time: they run under the last mix only. */
const light = cases.filter(({ info }) => !info.tags.includes('long') && !info.tags.includes('slow'));

/** The cases in which the broker consults a choice: in all others it does the same whatever is chosen. */
const touching = new Map<string, SelectedCase[]>();

function put(name: string, each: SelectedCase): void {
  const list = touching.get(name);
  if (list) list.push(each);
  else touching.set(name, [each]);
}

beforeAll(async () => {
  for (const each of light) {
    const made = new Set<string>();
    // Also those that need what the broker lacks by default: a choice may bring it.
    await attempt(each, { choosing: (name) => made.add(name) });
    for (const name of made) put(name, each);
  }
});

/** The other values of every choice. */
const alternatives: { readonly [K in keyof Choices]: readonly Choices[K][] } = {
  overlapping: ['each'],
  badConnect: ['CONNACK'],
  emptyClientId: ['refuse'],
  otherClientIds: ['refuse'],
  qos0Offline: ['queue'],
  grantedQoS: [0, 1],
  greaterQoS: ['close'],
  deliverOn: ['PUBREL'],
  acknowledge: ['first'],
  invalidFilter: ['0x80'],
  wildcards: ['refuse'],
  retainedBeforeSuback: [true],
  dollarTopics: ['deliver', 'close'],
  unknownAck: ['ignore', 'close'],
  retainedQoS0: ['drop'],
  controlCharacters: ['close'],
  paddedLength: ['close'],
  dupOnQoS0: ['accept', 'ignore'],
  disconnectedSocket: ['leave'],
  keepAliveCheckMs: [5_000],
  resendIntervalMs: [4_000],
  acknowledgedQoS1: ['repeat'],
  inFlightWindow: [1, 10],
  errorAnswer: ['close'],
  reasonStrings: ['none'],
  ownUserProperties: ['none'],
  acknowledgementForm: ['code', 'long'],
  noSubscribers: ['0x00'],
  unknownPubrel: ['0x00'],
  payloadFormat: ['DISCONNECT', 'unchecked'],
  outgoingAliases: ['none'],
  responseInformation: ['none'],
  sharedSelection: ['first', 'random'],
  unavailable: ['SUBACK'],
  identifierInUse: ['0x91'],
};

/** Choices that matter only to a broker that has made another one as well. */
const beside: { readonly [K in keyof Choices]?: Partial<Choices> } = {
  greaterQoS: { grantedQoS: 1 },
  unavailable: { wildcards: 'refuse' },
};

/** Choices against a SHOULD: cases about that SHOULD end as non-strict, which is no failure. */
const lessPreferred: ReadonlySet<keyof Choices> = new Set([
  'wildcards',
  'disconnectedSocket',
  'dollarTopics',
  'retainedQoS0',
  'acknowledgedQoS1',
  'greaterQoS',
  'badConnect',
  'errorAnswer',
]);

const mixes: readonly (readonly [string, Partial<Choices>])[] = [
  [
    'a sparing broker',
    {
      grantedQoS: 1,
      emptyClientId: 'refuse',
      otherClientIds: 'refuse',
      dollarTopics: 'close',
      retainedQoS0: 'drop',
      unknownAck: 'close',
      inFlightWindow: 1,
      errorAnswer: 'close',
      reasonStrings: 'none',
      ownUserProperties: 'none',
      noSubscribers: '0x00',
      outgoingAliases: 'none',
      responseInformation: 'none',
      sharedSelection: 'first',
    },
  ],
  ['a broker without QoS 2', { grantedQoS: 1, greaterQoS: 'close' }],
  [
    'a strict broker',
    {
      paddedLength: 'close',
      controlCharacters: 'close',
      dupOnQoS0: 'close',
      unknownAck: 'close',
      invalidFilter: 'close',
      payloadFormat: 'DISCONNECT',
      identifierInUse: '0x91',
      acknowledgementForm: 'long',
    },
  ],
  [
    'a generous broker',
    {
      overlapping: 'each',
      qos0Offline: 'queue',
      dollarTopics: 'deliver',
      dupOnQoS0: 'accept',
      invalidFilter: '0x80',
      badConnect: 'CONNACK',
      unknownAck: 'ignore',
      payloadFormat: 'unchecked',
      unavailable: 'SUBACK',
      unknownPubrel: '0x00',
      sharedSelection: 'random',
    },
  ],
  [
    'a late broker',
    {
      deliverOn: 'PUBREL',
      acknowledge: 'first',
      retainedBeforeSuback: true,
      keepAliveCheckMs: 5_000,
      disconnectedSocket: 'leave',
      resendIntervalMs: 4_000,
      inFlightWindow: 2,
      acknowledgementForm: 'code',
      sharedSelection: 'random',
    },
  ],
];

/** Every byte of the broker arrives in a segment of its own. */
function bytewise(transport: Transport): Transport {
  return {
    open: (events, timeoutMs) =>
      transport.open(
        {
          data: (bytes) => {
            for (const at of bytes.keys()) events.data(bytes.subarray(at, at + 1));
          },
          closed: (how) => events.closed(how),
        },
        timeoutMs,
      ),
  };
}

/** Everything from the broker arrives late, in order. */
function slow(delayMs: number): (transport: Transport, clock: Clock) => Transport {
  return (transport, clock) => ({
    open: (events, timeoutMs) =>
      transport.open(
        {
          data: (bytes) => void clock.after(delayMs, () => events.data(bytes)),
          closed: (how) => void clock.after(delayMs, () => events.closed(how)),
        },
        timeoutMs,
      ),
  });
}

/** The cases that end in none of the verdicts, with the reason. */
async function wrong(
  setting: Setting,
  permitted: readonly Verdict[],
  among: readonly SelectedCase[] = light,
): Promise<readonly string[]> {
  const found: string[] = [];
  const capabilities = { v3: await capabilitiesOf(setting, 'v3'), v5: await capabilitiesOf(setting, 'v5') };
  for (const each of among) {
    const { verdict, reason, finding } = await attempt(each, setting, capabilities[each.version]);
    if (verdict === 'info' ? finding : !permitted.includes(verdict)) {
      found.push(`${each.info.id} is ${verdict}: ${reason} (expected ${finding?.expected.join(' or ')})`);
    }
  }
  return found;
}

const permitted: readonly Verdict[] = ['pass', 'not-applicable'];

describe('the whole suite passes when the broker chooses', () => {
  const rows = Object.entries(alternatives).flatMap(([name, values]) => values.map((value) => [name, value] as const));

  it('names every choice', () => {
    expect(Object.keys(alternatives).sort()).toEqual(Object.keys(defaultChoices).sort());
    for (const [name, value] of rows) expect(defaultChoices[name as keyof Choices], name).not.toBe(value);
  });

  it.each(rows)('%s: %s', async (name, value) => {
    const choices = { ...beside[name as keyof Choices], [name]: value };
    const names = Object.keys(choices) as (keyof Choices)[];
    const soft: readonly Verdict[] = names.some((each) => lessPreferred.has(each)) ? ['non-strict'] : [];
    const among = new Set(names.flatMap((each) => touching.get(each) ?? []));
    expect(among.size, 'cases that it matters in').toBeGreaterThan(0);
    expect(await wrong({ choices }, [...permitted, ...soft], [...among])).toEqual([]);
  });

  it.each(mixes)('%s', async (name, choices) => {
    const among = name === mixes.at(-1)?.[0] ? cases : light;
    expect(await wrong({ choices }, [...permitted, 'non-strict'], among)).toEqual([]);
  });
});

describe('the whole suite passes when the network', () => {
  it('delivers byte by byte', async () => {
    expect(await wrong({ network: bytewise }, permitted)).toEqual([]);
  });

  it('is slow', async () => {
    expect(await wrong({ network: slow(100) }, permitted)).toEqual([]);
  });
});

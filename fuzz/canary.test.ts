/**
 * The proof of the fuzzer: with a gate of the reference broker broken it finds that, and on the unbroken one it finds nothing. A short slice runs with the tests;
 * `MQTT_FUZZ_CANARY=full` takes all gates with three seeds and 20,000 cases each, and `MQTT_FUZZ_SILENT=1000000` so many cases without a finding.
 */

import { describe, expect, it } from 'vitest';
import type { Choices, Gate } from '../reference-broker/broker.ts';
import { generate } from './generate.ts';
import { judgeAll } from './judge.ts';
import { played } from './memory.fixture.ts';
import type { Finding, Recording } from './record.ts';

const isFull = process.env.MQTT_FUZZ_CANARY === 'full';
const seeds = isFull ? ['one', 'two', 'three'] : ['one'];
const casesAtMost = 20_000;
const silentCases = Number(process.env.MQTT_FUZZ_SILENT ?? 1_500);
/** Cases that share a turn of the event loop. */
const batch = 32;

/** Gates by what they are about. Those of the slice are found early. */
const canaries = {
  framing: {
    slice: ['v3/2.4~surplus-bytes', 'v5/2.1.4~content-length'],
    rest: ['v3/2.2.3~remaining-length-limit', 'v5/1.5.5-1', 'v3/2.1~fixed-packet-sizes'],
  },
  flags: {
    slice: ['v3/2.2.2-2', 'v5/2.1.3-1'],
    rest: ['v3/3.8.1-1', 'v3/3.6.1-1', 'v3/3.3.1-4', 'v5/3.8.3-5'],
  },
  'UTF-8 and topics': {
    slice: ['v5/1.5.4-1', 'v3/3.3.2-3#filter'],
    rest: ['v3/1.5.3-1', 'v3/1.5.3-2', 'v3/4.7.3-1', 'v3/3.3.2-2', 'v3/4.7.1.2~multi-level-scope'],
  },
  identifiers: {
    slice: ['v3/2.3.1-1', 'v3/2.3.1-4#unused', 'v3/2.3.1-7#SUBACK', 'v5/2.2.1-5#PUBACK'],
    rest: ['v3/2.3.1-6#PUBACK', 'v3/2.3.1-4#resend', 'v5/2.2.1-4#zero'],
  },
  QoS: {
    slice: ['v3/4.3.1-1#once', 'v3/4.3.3-2#once', 'v3/3.8.4-6#granted', 'v5/4.3.3-6', 'v3/3.3.4-1#PUBACK'],
    rest: [
      'v3/3.3.1-1',
      'v3/3.3.1-3',
      'v3/3.3.4-1#PUBREC',
      'v3/4.3.3-1#PUBREL',
      'v3/4.3.3-2#PUBCOMP',
      'v3/4.3.2-2#new',
      'v3/4.6.0-3',
      'v3/4.4.0-1#PUBLISH',
      'v3/4.4.0-1#PUBREL',
      'v3/4.5.0-1',
      'v3/4.6.0-1',
      'v3/4.6.0-6',
      'v3/3.3.5-1',
      'v3/4.3.3-2#release',
      'v5/4.3.3-10#once',
      'v5/4.9.0-2',
    ],
  },
  sessions: {
    slice: ['v3/3.1.2-4#kept', 'v3/3.1.2-5', 'v5/3.1.2-23', 'v3/4.1.0-1#in-flight'],
    rest: [
      'v3/3.1.2-6#ends',
      'v3/3.1.2-6#previous',
      'v3/4.1.0-1#subscriptions',
      'v3/4.1.0-1#unreleased',
      'v5/3.1.2-4',
      'v3/3.10.4-1#ended',
      'v3/3.10.4-3',
      'v3/3.8.4-3#flow',
      'v5/4.1.0-2#expired',
    ],
  },
  retained: {
    slice: ['v3/3.3.1-9', 'v3/3.3.1-12', 'v5/3.3.1-13'],
    rest: [
      'v3/3.3.1-5#stored',
      'v3/3.3.1-5#qos',
      'v3/3.3.1-6#sent',
      'v3/3.3.1-8',
      'v3/3.3.1-10#forward',
      'v3/3.3.1-10#delete',
      'v5/3.3.1-11',
      'v5/4.8.2~shared-no-retained',
    ],
  },
  wills: {
    slice: ['v3/3.1.2-8#not-before', 'v3/3.1.2-16'],
    rest: [
      'v3/3.1.2-8#network',
      'v3/3.1.2-8#protocol-error',
      'v3/3.1.2-8#take-over',
      'v3/3.14.4-3',
      'v5/3.1.3.2~will-properties#forwarded',
    ],
  },
  'keep alive': {
    slice: ['v3/3.1.2-24#watched', 'v5/3.1.2-22#early'],
    rest: [
      'v5/3.1.2-22#watched',
      'v3/3.1.2-24#late',
      'v5/3.1.2-22#late',
      'v3/3.1.2-24#only-received',
      'v5/3.1.2-22#only-received',
      'v5/3.1.2-22#any-packet',
      'v5/3.1.2-22#unsigned',
      'v5/3.1.2-22#big-endian',
      'v5/3.2.2-22',
      'v3/3.1.2-8#keep-alive',
      'v5/3.1.2-8#keep-alive',
    ],
  },
  expiry: {
    slice: ['v5/3.3.2-5', 'v5/3.3.2-6#rest'],
    rest: [
      'v5/3.3.2-6#sent',
      'v5/3.3.2.3.3~retained-expiry',
      'v5/3.3.2.3.3~no-message-expiry',
      'v5/3.1.2.11.2~session-expiry#over',
      'v5/3.1.2.11.2~session-expiry#never',
    ],
  },
  'will delay': {
    slice: ['v5/3.1.2-8#delay', 'v5/3.1.3-9'],
    rest: [
      'v5/3.1.2-8#delayed',
      'v5/3.1.3.2.2~will-at-session-end',
      'v5/3.1.3.2.2~will-on-take-over#withheld',
      'v5/3.1.3.2~will-properties#no-delay',
    ],
  },
  properties: {
    slice: ['v5/3.3.2-4', 'v5/3.3.2-8', 'v5/2.2.2.2~property-not-allowed', 'v5/3.3.4-3'],
    rest: [
      'v5/2.2.2.2~property-repeated',
      'v5/3.3.4~topic-alias-range',
      'v5/3.1.2.11.3~receive-maximum-zero',
      'v5/3.3.2-7',
      'v5/3.3.2-15',
      'v5/3.3.2-17',
      'v5/3.3.2-18',
      'v5/3.3.2-20',
      'v5/3.8.3-3',
      'v5/3.8.4~subscription-identifier-state#kept',
      'v5/3.2.2.3~connack-properties',
      'v5/3.1.2-24',
      'v5/3.1.2-27',
      'v5/3.1.2-28',
      'v5/3.1.2-29',
      'v5/3.2.2-16#announced',
      'v5/3.3.2.3.4~topic-alias-not-forwarded',
      'v5/4.12.0-6',
    ],
  },
  answers: {
    slice: ['v3/3.2.0-1', 'v3/3.12.4-1'],
    rest: ['v3/3.1.2-3', 'v3/3.1.0-2', 'v3/3.8.4-1', 'v3/3.10.4-5', 'v3/3.1.4-5', 'v5/3.14.4-1', 'v5/4.9.0-3'],
  },
} satisfies Record<string, { readonly slice: readonly Gate[]; readonly rest: readonly Gate[] }>;

const groups = Object.entries(canaries).map(([group, { slice, rest }]): [string, readonly string[]] => [
  group,
  isFull ? [...slice, ...rest] : slice,
]);

interface Hit {
  /** The number of the case, from 1. */
  readonly cases: number;
  readonly findings: readonly Finding[];
}

/** What is found of a fault: not what the same script shows on a broker without it. */
async function certain(recording: Recording, faults: readonly Gate[]): Promise<readonly Finding[]> {
  const findings = judgeAll(recording).filter(({ unclear }) => !unclear);
  if (findings.length === 0 || faults.length === 0) return findings;
  const wrong = new Set(judgeAll(await played(recording.script)).map(({ kind }) => kind));
  return findings.filter(({ kind }) => !wrong.has(kind));
}

/** The first case that finds something. */
async function search(
  seed: string,
  most: number,
  faults: readonly Gate[],
  choices?: Partial<Choices>,
): Promise<Hit | undefined> {
  for (let from = 0; from < most; from += batch) {
    const plays = Array.from({ length: Math.min(batch, most - from) }, (_, at) =>
      played(generate(seed, from + at), { faults, ...(choices && { choices }) }),
    );
    for (const [at, recording] of (await Promise.all(plays)).entries()) {
      const findings = await certain(recording, faults);
      if (findings.length > 0) return { cases: from + at + 1, findings };
    }
  }
  return undefined;
}

describe.each(groups)('with a fault in %s', (_group, gates) => {
  it.each(gates.flatMap((gate) => seeds.map((seed): [string, string] => [gate, seed])))(
    '%s broken, it finds it with seed %s',
    { timeout: 600_000 },
    async (gate, seed) => {
      const hit = await search(seed, casesAtMost, [gate as Gate]);
      if (isFull) console.log(`${gate} | ${seed} | ${hit?.cases ?? 'none'} | ${hit?.findings[0]?.kind ?? ''}`);
      expect(hit?.cases).toBeLessThanOrEqual(casesAtMost);
    },
  );
});

/** What the standard leaves to a broker and concerns what a client sees most. */
const alternatives: readonly Partial<Choices>[] = [
  { overlapping: 'each', deliverOn: 'PUBREL', acknowledge: 'first', qos0Offline: 'queue' },
  { grantedQoS: 1, inFlightWindow: 1, retainedBeforeSuback: true, errorAnswer: 'close', unknownAck: 'ignore' },
  { grantedQoS: 0, invalidFilter: '0x80', wildcards: 'refuse', dollarTopics: 'deliver', acknowledgementForm: 'long' },
  {
    retainedQoS0: 'drop',
    controlCharacters: 'close',
    paddedLength: 'close',
    dupOnQoS0: 'accept',
    identifierInUse: '0x91',
  },
  {
    unknownAck: 'close',
    disconnectedSocket: 'leave',
    resendIntervalMs: 500,
    sharedSelection: 'random',
    outgoingAliases: 'none',
    keepAliveCheckMs: 5_000,
  },
];

describe('on a broker without faults', () => {
  it(`finds nothing in ${silentCases} cases`, { timeout: 7_200_000 }, async () =>
    expect(await search('silent', silentCases, [])).toBeUndefined(),
  );

  it.each(alternatives)('finds nothing when the broker chooses %o', { timeout: 7_200_000 }, async (choices) =>
    expect(await search('choices', Math.ceil(silentCases / 5), [], choices)).toBeUndefined(),
  );
});

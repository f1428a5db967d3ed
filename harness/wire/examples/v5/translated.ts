/** The malformed packets of 3.1.1 that are malformed in 5.0 as well, with the requirements of 5.0 that they break. */

import type { RequirementId } from '../../../spec/index.ts';
import { connectRows } from '../connect.ts';
import { clientRows } from '../malformed.ts';
import type { Row, Verdict } from '../row.ts';
import { connectTextRows, textRows } from '../text.ts';

/** The requirements of 5.0 that say the same. Those that 5.0 has no counterpart for are left out. */
const counterparts: Readonly<Partial<Record<RequirementId, RequirementId>>> = {
  'v3/1.5.3-1': 'v5/1.5.4-1',
  'v3/1.5.3-2': 'v5/1.5.4-2',
  'v3/1.5.3~string-length': 'v5/2.1.4~content-length',
  'v3/2.1~fixed-packet-sizes': 'v5/2.1.4~content-length',
  'v3/2.2.1~reserved-types': 'v5/2.1.2~packet-direction',
  'v3/2.2.2-2': 'v5/2.1.3-1',
  'v3/2.2.3~remaining-length-limit': 'v5/1.5.5-1',
  'v3/2.3.1-1': 'v5/2.2.1-3',
  'v3/2.4~surplus-bytes': 'v5/2.1.4~content-length',
  'v3/3.1.2.1~protocol-name': 'v5/3.1.2-1',
  'v3/3.1.2-3': 'v5/3.1.2-3',
  'v3/3.1.2-9': 'v5/3.1.2-9',
  'v3/3.1.2-13': 'v5/3.1.2-11',
  'v3/3.1.2-14': 'v5/3.1.2-12',
  'v3/3.1.2-15': 'v5/3.1.2-13',
  'v3/3.1.2-18': 'v5/3.1.2-16',
  'v3/3.1.2-19': 'v5/3.1.2-17',
  'v3/3.1.2-20': 'v5/3.1.2-18',
  'v3/3.1.2-21': 'v5/3.1.2-19',
  'v3/3.1.3-3': 'v5/3.1.3-3',
  'v3/3.1.3-4': 'v5/3.1.3-4',
  'v3/3.1.3-10': 'v5/3.1.3-11',
  'v3/3.1.3-11': 'v5/3.1.3-12',
  'v3/3.1.4-1': 'v5/3.1.4-1',
  'v3/3.3.1-4': 'v5/3.3.1-4',
  'v3/3.3.2-1': 'v5/3.3.2-1',
  'v3/3.6.1-1': 'v5/3.6.1-1',
  'v3/3.8.1-1': 'v5/3.8.1-1',
  'v3/3.8.3-1': 'v5/3.8.3-1',
  'v3/3.8.3-3': 'v5/3.8.3-2',
  'v3/3.10.1-1': 'v5/3.10.1-1',
  'v3/3.10.3-1': 'v5/3.10.3-1',
  'v3/3.10.3-2': 'v5/3.10.3-2',
  'v3/3.14.1-1': 'v5/3.14.1-1',
  'v3/4.7.3-1': 'v5/4.7.3-1',
  'v3/4.7.3-2': 'v5/4.7.3-2',
};

/** Legal in 5.0, or another thing there: a row of 5.0's own takes its place. */
const notIn5: readonly RegExp[] = [
  /^connect-password-without-user-name/,
  // A Reason Code.
  /^(puback|pubrec|pubrel|pubcomp)-length-3$/,
  /^disconnect-length-[12]$/,
  // Subscription Options.
  /^subscribe-(second-)?options-/,
  // The topic takes in the Property Length, a zero: as it is with the rows of text with U+0000.
  /^publish-topic-length-plus-1$/,
  // AUTH.
  /^reserved-type-15/,
  // Packets in the form of 3.1.1.
  /-from-client$/,
];

/** What 5.0 sees in another place, or from another point of view. */
const changed: readonly (readonly [id: RegExp, change: Partial<Verdict>])[] = [
  [/^connect-without-will-fields$/, { at: 'will.properties.length' }],
  [/^publish-qos3/, { breaks: ['v5/3.3.1-4'] }],
  [/^publish-qos\d-empty-topic$/, { breaks: ['v5/3.3.2.1~empty-topic-without-alias', 'v5/4.7.3-1'], codes: [0x90] }],
  [/^connect-client-id-/, { codes: [0x85] }],
  [/^connect-will-topic-/, { codes: [0x90] }],
  [/^connect-user-name-/, { codes: [0x86, 0x87] }],
  [/^publish-topic-/, { codes: [0x90] }],
  [/filter/, { codes: [0x8f] }],
  // The sender is bound; that a receiver has to refuse it is said nowhere.
  [/-id-0$/, { strength: 'SHOULD' }],
  // The section on PINGREQ does not say that a server has to check its length.
  [/^pingreq-length-1$/, { breaks: ['v5/3.12~pingreq-empty', 'v5/2.1.4~content-length'], strength: 'SHOULD' }],
];

function translated(rows: readonly Row[]): Row[] {
  return rows
    .filter(({ id }) => !notIn5.some((pattern) => pattern.test(id)))
    .map((row) => {
      const change = changed.find(([pattern]) => pattern.test(row.id))?.[1];
      return { ...row, breaks: counterpartsOf(row.breaks), ...change };
    });
}

function counterpartsOf(ids: readonly RequirementId[]): readonly RequirementId[] {
  return [...new Set(ids.flatMap((id) => counterparts[id] ?? []))];
}

export const translatedConnects: readonly Row[] = translated([...connectRows, ...connectTextRows]);

export const translatedOthers: readonly Row[] = translated([...clientRows, ...textRows]);

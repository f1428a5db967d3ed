/** How a CONNECT may be refused, where the standard leaves several ways (sections 3.1.4 and 3.2.2.3). */

import type { Context } from '../harness/case.ts';
import { code } from '../harness/peer.ts';
import type { Version } from '../harness/spec/index.ts';
import type { Peer } from './session.ts';

/** What an outcome is worth: `tolerated` is right, but not what the standard prefers. */
type Worth = 'right' | 'tolerated' | 'wrong';

/** What may follow a CONNECT. */
export interface Outcome {
  /** In words, the right ones. */
  readonly expected: readonly string[];
  /** CONNACK with one of these codes, then the end of the connection: right. */
  readonly codes: readonly number[];
  /** CONNACK with another code that refuses, then the end of the connection. */
  readonly otherCode: Worth;
  /** The end of the connection without CONNACK. */
  readonly noConnack: Worth;
  /** CONNACK 0x00. */
  readonly served: Worth;
  /** Neither an answer nor an end in time. */
  readonly ignored: Worth;
}

/** The outcomes by the version that the client speaks: MQTT 5.0 leaves it to the server whether to send a CONNACK that refuses. */
export type Outcomes = Readonly<Record<Version, Outcome>>;

/** The same in both versions. */
export function either(outcome: Outcome): Outcomes {
  return { v3: outcome, v5: outcome };
}

/** These outcomes with some of them weighed differently, in both versions; `expected` goes before what was expected already. */
export function but(outcomes: Outcomes, { expected = [], ...change }: Partial<Outcome>): Outcomes {
  const of = (own: Outcome): Outcome => ({ ...own, ...change, expected: [...expected, ...own.expected] });
  return { v3: of(outcomes.v3), v5: of(outcomes.v5) };
}

const never = { otherCode: 'wrong', noConnack: 'wrong', served: 'wrong', ignored: 'wrong' } as const;

/** A CONNACK with one of these Reason Codes, or none, then the end of the connection (5.0); another code is less preferred. */
export function refused(...codes: readonly number[]): Outcome {
  const list = codes.map(code).join(' or ');
  return {
    ...never,
    expected: [`the connection closes, with CONNACK ${list} or without CONNACK`],
    codes,
    otherCode: 'tolerated',
    noConnack: 'right',
  };
}

/** A CONNECT that does not have the form of section 3.1 (v3/3.1.4-1, v5/3.1.4-1). */
export const malformed: Outcomes = {
  v3: {
    ...never,
    expected: ['the connection closes without CONNACK'],
    codes: [],
    otherCode: 'tolerated',
    noConnack: 'right',
  },
  v5: refused(0x81, 0x82),
};

/** Another protocol name: the server may close, or follow another specification, but not this one (v3/3.1.2-1, v5/3.1.2-1). */
export const otherProtocol: Outcomes = {
  v3: {
    ...never,
    expected: ['the connection closes, with or without a CONNACK that refuses'],
    codes: [],
    otherCode: 'right',
    noConnack: 'right',
    ignored: 'right',
  },
  v5: { ...refused(0x84, 0x01), otherCode: 'right' },
};

/** A Protocol Level that is not supported (v3/3.1.2-2, v5/3.1.2-2); who speaks 3.1.1 as well may answer in its form. */
export const badLevel: Outcomes = {
  v3: { ...never, expected: ['CONNACK 0x01, then the connection closes'], codes: [1] },
  v5: refused(0x84, 0x01),
};

/** A Client Identifier that is not allowed (v3/3.1.3-8, v3/3.1.3-9, v5/3.1.3-8). */
export const badIdentifier: Outcomes = {
  v3: { ...never, expected: ['CONNACK 0x02, then the connection closes'], codes: [2] },
  v5: refused(0x85),
};

/** A user name or password that is not let in (v3/3.1.4~refusal-closes, v5/3.1.4-2). */
export const badCredentials: Outcomes = {
  v3: {
    ...never,
    expected: ['CONNACK 0x04 or 0x05, then the connection closes'],
    codes: [4, 5],
    otherCode: 'tolerated',
    noConnack: 'tolerated',
  },
  v5: refused(0x86, 0x87),
};

/**
 * Waits for the outcome of the CONNECT that was sent last, and judges it. Says what it was; throws Violation when it is
 * wrong, also when a CONNACK that refuses is not followed by the end of the connection.
 */
export async function judge(context: Context, client: Peer, byVersion: Outcomes): Promise<'served' | 'refused'> {
  const outcomes = byVersion[context.version];
  const weigh = (worth: Worth, actual: string) => {
    if (worth === 'wrong') context.fail(outcomes.expected, actual);
    if (worth === 'tolerated') context.nonStrict(`${actual}; preferred: ${outcomes.expected.join(' or ')}`);
  };
  const answer = await client.next();
  if (!answer) {
    if (await client.isClosed(0)) weigh(outcomes.noConnack, 'the connection closes without CONNACK');
    else weigh(outcomes.ignored, 'no answer, and the connection stays open');
    return 'refused';
  }
  if (answer.type !== 'CONNACK') return context.fail(outcomes.expected, answer.type);
  if (answer.code === 0) {
    weigh(outcomes.served, 'CONNACK 0x00');
    return 'served';
  }
  if (!outcomes.codes.includes(answer.code)) weigh(outcomes.otherCode, `CONNACK ${code(answer.code)}`);
  await client.expectClose({ expected: `the connection closes after CONNACK ${code(answer.code)}` });
  return 'refused';
}

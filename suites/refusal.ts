/** How a CONNECT may be refused, where the standard leaves several ways (sections 3.1.4 and 3.2.2.3). */

import type { Context } from '../harness/case.ts';
import type { Peer } from './session.ts';

/** What an outcome is worth: `tolerated` is right, but not what the standard prefers. */
type Worth = 'right' | 'tolerated' | 'wrong';

/** The outcomes of a CONNECT. */
export interface Outcomes {
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

const never = { otherCode: 'wrong', noConnack: 'wrong', served: 'wrong', ignored: 'wrong' } as const;

/** A CONNECT that does not have the form of section 3.1 (v3/3.1.4-1). */
export const malformed: Outcomes = {
  ...never,
  expected: ['the connection closes without CONNACK'],
  codes: [],
  otherCode: 'tolerated',
  noConnack: 'right',
};

/** Another protocol name: the server may close, or follow another specification, but not this one (v3/3.1.2-1). */
export const otherProtocol: Outcomes = {
  ...never,
  expected: ['the connection closes, with or without a CONNACK that refuses'],
  codes: [],
  otherCode: 'right',
  noConnack: 'right',
  ignored: 'right',
};

/** A Protocol Level that is not supported (v3/3.1.2-2). */
export const badLevel: Outcomes = { ...never, expected: ['CONNACK 0x01, then the connection closes'], codes: [1] };

/** A Client Identifier that is not allowed (v3/3.1.3-8, v3/3.1.3-9). */
export const badIdentifier: Outcomes = { ...never, expected: ['CONNACK 0x02, then the connection closes'], codes: [2] };

/** A user name or password that is not let in (v3/3.1.4~refusal-closes). */
export const badCredentials: Outcomes = {
  ...never,
  expected: ['CONNACK 0x04 or 0x05, then the connection closes'],
  codes: [4, 5],
  otherCode: 'tolerated',
  noConnack: 'tolerated',
};

/**
 * Waits for the outcome of the CONNECT that was sent last, and judges it. Says what it was; throws Violation when it is
 * wrong, also when a CONNACK that refuses is not followed by the end of the connection.
 */
export async function judge(context: Context, client: Peer, outcomes: Outcomes): Promise<'served' | 'refused'> {
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
  if (!outcomes.codes.includes(answer.code)) weigh(outcomes.otherCode, `CONNACK 0x0${answer.code}`);
  await client.expectClose({ expected: `the connection closes after CONNACK 0x0${answer.code}` });
  return 'refused';
}

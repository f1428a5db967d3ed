/** What other suites fail brokers for and the standard permits: each row is such a broker, and the cases that it has to pass all the same. */

import { describe, expect, it } from 'vitest';
import { allCases, select } from '../harness/select.ts';
import type { Version } from '../harness/spec/index.ts';
import { chapters } from '../suites/index.ts';
import { attempt, capabilitiesOf, type Setting } from './prove.ts';

const all = allCases(chapters);

/** What the broker does, how the reference broker does it, and the cases that look at it. */
const permitted: readonly (readonly [what: string, setting: Setting, selectors: readonly string[]])[] = [
  [
    'answers PUBLISH by 0x10, as nobody is subscribed',
    { choices: { noSubscribers: '0x10' } },
    ['v5/4.3*', 'v5/3.4*', 'v5/2.2.1*'],
  ],
  [
    'answers PUBLISH by 0x00, although nobody is subscribed',
    { choices: { noSubscribers: '0x00' } },
    ['v5/4.3*', 'v5/3.4*'],
  ],
  ['answers PUBREL of an unknown identifier by 0x00', { choices: { unknownPubrel: '0x00' } }, ['v5/3.7*', 'v5/4.3.3*']],
  ['refuses an invalid filter in SUBACK', { choices: { invalidFilter: '0x80' } }, ['4.7*', 'v5/4.8.2*', '3.8*']],
  ['closes on an invalid filter', { choices: { invalidFilter: 'close' } }, ['4.7*', 'v5/4.8.2*', '3.8*']],
  ['refuses Client Identifiers of other characters', { choices: { otherClientIds: 'refuse' } }, ['3.1.3*', '1.5*']],
  ['refuses empty Client Identifiers', { choices: { emptyClientId: 'refuse' } }, ['3.1.3*', 'v5/3.2.2*']],
  ['closes on messages to topics that begin with $', { choices: { dollarTopics: 'close' } }, ['4.7.2*']],
  [
    'closes without a word where it may say why',
    { choices: { errorAnswer: 'close' } },
    ['v5/3.1*', 'v5/3.14*', 'v5/4.13*', 'v5/2.*'],
  ],
  ['delivers a QoS 2 message on PUBREL', { choices: { deliverOn: 'PUBREL' } }, ['4.3*', '4.6*']],
  ['delivers a QoS 2 message on PUBLISH', { choices: { deliverOn: 'PUBLISH' } }, ['4.3*', '4.6*']],
  [
    'adds User Properties of its own',
    { choices: { ownUserProperties: 'send', acknowledgementForm: 'long' } },
    ['v5/3.*', 'v5/4.*'],
  ],
  [
    'sends a copy for each overlapping subscription',
    { choices: { overlapping: 'each' } },
    ['3.3*', '3.8*', '1.2*', 'v5/4.8.2*'],
  ],
  ['assigns no Topic Aliases of its own', { choices: { outgoingAliases: 'none' } }, ['v5/3.3.2*', 'v5/3.1.2*']],
  ['names a Server Keep Alive', { limits: { serverKeepAlive: 10 } }, ['v5/3.1.2.10*', 'v5/3.2.2*']],
  [
    'names a lower Session Expiry Interval',
    { limits: { maximumSessionExpirySeconds: 30 } },
    ['v5/3.1.2*', 'v5/4.4*', 'v5/4.1*'],
  ],
  ['takes one message at a time', { limits: { receiveMaximum: 1 } }, ['v5/3.3*', 'v5/4.*']],
  ['takes QoS 0 only', { limits: { maximumQoS: 0 } }, ['v5/*']],
  ['keeps no retained messages', { limits: { retainAvailable: false } }, ['v5/*']],
  [
    'lacks wildcards, Subscription Identifiers and Shared Subscriptions',
    {
      limits: {
        wildcardSubscriptionAvailable: false,
        subscriptionIdentifierAvailable: false,
        sharedSubscriptionAvailable: false,
      },
    },
    ['v5/*'],
  ],
  ['takes no Topic Aliases', { limits: { topicAliasMaximum: 0 } }, ['v5/*']],
  ['takes small packets only', { limits: { maximumPacketSize: 1_000 } }, ['v5/3*']],
];

async function wrong(setting: Setting, selectors: readonly string[]): Promise<readonly string[]> {
  const selected = select(all, { include: selectors, exclude: [], versions: ['v3', 'v5'], levels: ['MUST'] });
  const capabilities = {
    v3: await capabilitiesOf(setting, 'v3'),
    v5: await capabilitiesOf(setting, 'v5'),
  } satisfies Record<Version, unknown>;
  const found: string[] = [];
  for (const each of selected) {
    const { verdict, reason, finding } = await attempt(each, setting, capabilities[each.version]);
    if (verdict === 'fail' || verdict === 'could-not-run') {
      found.push(`${each.info.id} is ${verdict}: ${reason} (expected ${finding?.expected.join(' or ')})`);
    }
  }
  return found;
}

describe('no case fails a broker that', () => {
  it.each(permitted)('%s', async (_, setting, selectors) => {
    expect(await wrong(setting, selectors)).toEqual([]);
  });
});

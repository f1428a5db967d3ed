/** What goes on unchanged with a message: its properties, and the identifiers of the subscriptions that it is for (5.0, section 3.3.2.3). */

import type { RequirementId } from '../../harness/spec/index.ts';
import type { Properties } from '../../harness/wire/packet.ts';
import type { Delivery } from '../model/delivery.ts';
import { matches } from '../model/matching.ts';
import type { Publication } from '../model/publication.ts';
import type { Model, Told } from '../model.ts';
import type { Finding } from '../record.ts';
import type { Explanation } from './explained.ts';
import { broken } from './law.ts';

/** The finding about a delivery whose properties are not those of any message that it may be. */
export function forwardedWrongly(
  model: Model,
  session: Told,
  delivery: Delivery,
  explanations: readonly Explanation[],
): Finding | undefined {
  if (delivery.life.version !== 'v5') return undefined;
  const [first, ...others] = new Set(explanations.map(({ publication }) => publication));
  const wrong = first && wrongProperty(model, delivery, first);
  if (wrong && others.every((each) => wrongProperty(model, delivery, each))) {
    const { name, requirements } = wrong;
    return broken(
      `${name} not forwarded as it came`,
      { rule: { v3: [], v5: requirements }, version: 'v5' },
      {
        expected: `${name} as the publisher gave it`,
        actual: shownProperty(delivery.packet.properties, name),
        at: delivery.order,
      },
    );
  }
  return wrongIdentifiers(session, delivery, explanations);
}

const carried = {
  payloadFormatIndicator: ['v5/3.3.2-4'],
  contentType: ['v5/3.3.2-20'],
  responseTopic: ['v5/3.3.2-15', 'v5/4.10~request-response'],
  correlationData: ['v5/3.3.2-16', 'v5/4.10~request-response'],
  userProperties: ['v5/3.3.2-17', 'v5/3.3.2-18'],
} as const satisfies Partial<Record<keyof Properties, readonly RequirementId[]>>;

type Wrong = { readonly name: keyof Properties; readonly requirements: readonly RequirementId[] };

function wrongProperty(model: Model, delivery: Delivery, publication: Publication): Wrong | undefined {
  const { properties = {} } = delivery.packet;
  for (const [name, requirements] of Object.entries(carried) as [keyof typeof carried, readonly RequirementId[]][]) {
    if (isCarried(name, publication.properties, properties)) continue;
    return { name, requirements: publication.isWill ? ['v5/3.1.3.2~will-properties', ...requirements] : requirements };
  }
  return wrongExpiry(model, delivery, publication);
}

function isCarried(name: keyof typeof carried, from: Properties, to: Properties): boolean {
  switch (name) {
    case 'payloadFormatIndicator':
      // 0 says the same as nothing.
      return (from[name] ?? 0) === (to[name] ?? 0);
    case 'correlationData':
      return Buffer.compare(from[name] ?? nothing, to[name] ?? nothing) === 0;
    case 'userProperties':
      return isWithin(from[name] ?? [], to[name] ?? []);
    default:
      return from[name] === to[name];
  }
}

const nothing = new Uint8Array(0);

/** Whether all of a list are in another one, in their order: nothing forbids a server to add User Properties of its own. */
function isWithin(pairs: readonly (readonly [string, string])[], all: readonly (readonly [string, string])[]): boolean {
  let at = 0;
  for (const [name, value] of all) {
    const [wantedName, wantedValue] = pairs[at] ?? [];
    if (at < pairs.length && name === wantedName && value === wantedValue) at++;
  }
  return at === pairs.length;
}

/** What is left of the interval: as given, less at most the time since it was sent (section 3.3.2.3.3). */
function wrongExpiry({ recording }: Model, delivery: Delivery, publication: Publication): Wrong | undefined {
  const given = publication.properties.messageExpiryInterval;
  const left = delivery.packet.properties?.messageExpiryInterval;
  const name = 'messageExpiryInterval';
  // Whether 0 is over at once or stands for none the standard does not say.
  if (given === 0) return undefined;
  if (given === undefined)
    return left === undefined ? undefined : { name, requirements: ['v5/3.3.2.3.3~no-message-expiry'] };
  const { happened } = recording;
  const passedMs = (happened[delivery.order]?.atMs ?? 0) - (happened[publication.order]?.atMs ?? 0);
  const least = given - Math.ceil(passedMs / 1_000) - 1;
  return left !== undefined && left <= given && left >= least ? undefined : { name, requirements: ['v5/3.3.2-6'] };
}

function wrongIdentifiers(
  { subscriptions }: Told,
  { packet, topic, order }: Delivery,
  explanations: readonly Explanation[],
): Finding | undefined {
  const given = packet.properties?.subscriptionIdentifiers ?? [];
  const own = new Set(explanations.map(({ subscription }) => subscription.identifier));
  const foreign = given.find((each) => !own.has(each));
  const say = (kind: string, id: RequirementId, expected: string) => {
    const actual = given.length === 0 ? 'no Subscription Identifier' : `Subscription Identifier ${given.join(', ')}`;
    return broken(kind, { rule: { v3: [], v5: [id] }, version: 'v5' }, { expected, actual, at: order });
  };
  if (foreign !== undefined) {
    return say(
      'foreign Subscription Identifier',
      'v5/3.3.4~own-subscription-identifiers',
      'only identifiers of matching subscriptions',
    );
  }
  const matching = subscriptions.filter((each) => matches(each.filter, topic));
  const [only] = matching;
  if (only?.identifier === undefined || matching.length > 1 || given.length > 0) return undefined;
  return say('Subscription Identifier missing', 'v5/3.3.4-3', `Subscription Identifier ${only.identifier}`);
}

function shownProperty(properties: Properties | undefined, name: keyof Properties): string {
  const value = properties?.[name];
  if (value === undefined) return `no ${name}`;
  return `${name} ${value instanceof Uint8Array ? Buffer.from(value).toString('hex') : JSON.stringify(value).slice(0, 100)}`;
}

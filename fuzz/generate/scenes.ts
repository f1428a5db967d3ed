/** What a well-behaved client says up to a packet that will be damaged: every packet type, bare and with all that it can carry. */

import type { Version } from '../../harness/spec/index.ts';
import { encode, type Part, parts } from '../../harness/wire/encode.ts';
import type { PacketType, QoS } from '../../harness/wire/packet.ts';
import type { PropertyPlace } from '../../harness/wire/properties.ts';
import { packetFrom } from '../data.ts';
import { caseName } from '../record.ts';
import type { PacketData, Step } from '../script.ts';
import { sampleProperties } from './properties.ts';

/** The topic that most scenes are about, and all that a script may use without meeting another. */
export const topic = `${caseName}/a`;
export const everyTopic = `${caseName}/#`;

export interface Scene {
  readonly title: string;
  readonly version: Version;
  /** What client 0 does before, CONNECT first; empty where the packet itself is that CONNECT. */
  readonly before: readonly Step[];
  /** Well-formed in itself, and in most scenes also right at this point. */
  readonly packet: PacketData;
  /** The bytes of the packet, and the same as named parts. */
  readonly bytes: Uint8Array;
  readonly parts: readonly Part[];
  /** Whether its parts are those of another scene: then the table of bends leaves it out. */
  readonly aside: boolean;
}

type Packets<T extends PacketType> = Extract<PacketData, { readonly type: T }>;

/** A step of client 0 that sends. */
export function send(packet: PacketData, client = 0): Step {
  return { client, do: 'send', packet };
}

export function fence(client = 0): Step {
  return { client, do: 'fence' };
}

/** CONNECT of a client of this case: its name is that of the case and a letter. */
export function connectOf(
  version: Version,
  letter: string,
  fields: Partial<Packets<'CONNECT'>> = {},
): Packets<'CONNECT'> {
  return {
    type: 'CONNECT',
    protocolName: 'MQTT',
    protocolLevel: version === 'v5' ? 5 : 4,
    clean: true,
    keepAlive: 60,
    clientId: `${caseName}${letter}`,
    ...fields,
  };
}

export function publishOf(qos: QoS, fields: Partial<Packets<'PUBLISH'>> = {}): Packets<'PUBLISH'> {
  const packetId = qos > 0 ? { packetId: 1 } : {};
  return { type: 'PUBLISH', dup: false, qos, retain: false, topic, ...packetId, payload: 'one', ...fields };
}

export function subscribeOf(qos: QoS, filter = everyTopic, packetId = 1): Packets<'SUBSCRIBE'> {
  return { type: 'SUBSCRIBE', packetId, filters: [{ filter, qos }] };
}

/** Subscribes to what it publishes itself, so that the broker begins an exchange whose identifier is most likely 1. */
function receives(version: Version, qos: QoS): readonly Step[] {
  return [
    send(connectOf(version, 'a')),
    send(subscribeOf(qos, topic)),
    fence(),
    send(publishOf(0)),
    send(publishOf(qos, { packetId: 7 })),
    fence(),
  ];
}

function scene(version: Version, aside: boolean, title: string, before: readonly Step[], packet: PacketData): Scene {
  const whole = packetFrom(packet);
  return {
    title,
    version,
    before,
    packet,
    bytes: encode(whole, version),
    parts: parts(whole, version),
    aside,
  };
}

const will = { topic: `${caseName}/will`, payload: 'bye', qos: 1, retain: false } as const;
const filters = [
  { filter: `${caseName}/a`, qos: 0 },
  { filter: `${caseName}/+/b`, qos: 1 },
  { filter: `${caseName}/c/#`, qos: 2 },
] as const;

/** The scenes that both versions have, without properties. */
function common(version: Version): Scene[] {
  const connected = [send(connectOf(version, 'a'))];
  const make = scene.bind(undefined, version, false);
  const aside = scene.bind(undefined, version, true);
  const acknowledgement = (type: 'PUBACK' | 'PUBREC' | 'PUBREL' | 'PUBCOMP', packetId = 1) =>
    ({ type, packetId }) as const;
  return [
    make('CONNECT', [], connectOf(version, 'a')),
    aside('CONNECT that keeps its session', [], connectOf(version, 'a', { clean: false })),
    make('CONNECT with will', [], connectOf(version, 'a', { will })),
    aside('CONNECT with credentials', [], connectOf(version, 'a', { userName: 'user', password: 'secret' })),
    aside('CONNECT with all', [], connectOf(version, 'a', { will, userName: 'user', password: 'secret' })),
    make('CONNECT without Client Identifier', [], connectOf(version, 'a', { clientId: '' })),
    aside(
      'CONNECT without Client Identifier that keeps its session',
      [],
      connectOf(version, 'a', { clientId: '', clean: false }),
    ),
    aside('CONNECT a second time', connected, connectOf(version, 'a')),
    make('PUBLISH QoS 0', connected, publishOf(0)),
    aside('PUBLISH QoS 0 that is retained', connected, publishOf(0, { retain: true })),
    make('PUBLISH QoS 1', connected, publishOf(1)),
    make('PUBLISH QoS 2', connected, publishOf(2)),
    aside('PUBLISH of one level', connected, publishOf(1, { topic: `${caseName}-top` })),
    make('PUBLISH to /', connected, publishOf(0, { topic: '/', payload: '' })),
    aside('PUBLISH QoS 2 again', [...connected, send(publishOf(2))], publishOf(2, { dup: true })),
    make('PUBREL', [...connected, send(publishOf(2)), fence()], acknowledgement('PUBREL')),
    aside('PUBREL of nothing', connected, acknowledgement('PUBREL', 9)),
    make('PUBACK', receives(version, 1), acknowledgement('PUBACK')),
    aside('PUBACK of nothing', connected, acknowledgement('PUBACK', 9)),
    make('PUBREC', receives(version, 2), acknowledgement('PUBREC')),
    aside('PUBREC of nothing', connected, acknowledgement('PUBREC', 9)),
    make('PUBCOMP', [...receives(version, 2), send(acknowledgement('PUBREC')), fence()], acknowledgement('PUBCOMP')),
    aside('PUBCOMP of nothing', connected, acknowledgement('PUBCOMP', 9)),
    make('SUBSCRIBE', connected, subscribeOf(1)),
    aside('SUBSCRIBE to three', connected, { type: 'SUBSCRIBE', packetId: 2, filters }),
    make('SUBSCRIBE to /', connected, subscribeOf(0, '/')),
    make('UNSUBSCRIBE', [...connected, send(subscribeOf(1))], {
      type: 'UNSUBSCRIBE',
      packetId: 2,
      filters: [everyTopic],
    }),
    aside('UNSUBSCRIBE from three', connected, {
      type: 'UNSUBSCRIBE',
      packetId: 2,
      filters: filters.map(({ filter }) => filter),
    }),
    make('PINGREQ', connected, { type: 'PINGREQ' }),
    make('DISCONNECT', [send(connectOf(version, 'a', { will }))], { type: 'DISCONNECT' }),
    make('CONNACK from the client', connected, {
      type: 'CONNACK',
      sessionPresent: false,
      code: 0,
    }),
    make('SUBACK from the client', connected, { type: 'SUBACK', packetId: 1, codes: [0] }),
    make('UNSUBACK from the client', connected, {
      type: 'UNSUBACK',
      packetId: 1,
      ...(version === 'v5' && { codes: [0] }),
    }),
    make('PINGRESP from the client', connected, { type: 'PINGRESP' }),
    aside('PUBLISH before CONNECT', [], publishOf(0)),
    aside('SUBSCRIBE before CONNECT', [], subscribeOf(0)),
    aside('PINGREQ before CONNECT', [], { type: 'PINGREQ' }),
    aside('DISCONNECT before CONNECT', [], { type: 'DISCONNECT' }),
  ];
}

/** The scenes of 5.0: every packet with every property that a client may give it. */
function withProperties(): Scene[] {
  const version = 'v5';
  const connected = [send(connectOf(version, 'a', { properties: { topicAliasMaximum: 4 } }))];
  const make = scene.bind(undefined, version, false);
  const aside = scene.bind(undefined, version, true);
  const given = (place: PropertyPlace) => ({ properties: sampleProperties(place, topic) });
  const outcome = (place: PropertyPlace) => ({ code: 0, ...given(place) });
  const { authenticationMethod, authenticationData, ...plain } = sampleProperties('CONNECT', topic) ?? {};
  const full = { ...will, ...given('WILL') };
  return [
    make('CONNECT with properties', [], connectOf(version, 'a', { properties: plain })),
    make('CONNECT with authentication', [], connectOf(version, 'a', given('CONNECT'))),
    make('CONNECT with the properties of a will', [], connectOf(version, 'a', { properties: plain, will: full })),
    aside(
      'CONNECT with one property of a will',
      [],
      connectOf(version, 'a', {
        will: { ...will, properties: { contentType: 'text' } },
      }),
    ),
    aside(
      'CONNECT with a session that stays',
      [],
      connectOf(version, 'a', {
        clean: false,
        properties: { sessionExpiryInterval: 1 },
      }),
    ),
    aside('PUBLISH QoS 0 with properties', connected, publishOf(0, given('PUBLISH'))),
    make('PUBLISH QoS 1 with properties', connected, publishOf(1, given('PUBLISH'))),
    make('PUBLISH QoS 2 with properties', connected, publishOf(2, given('PUBLISH'))),
    make(
      'PUBLISH by alias',
      [...connected, send(publishOf(0, { properties: { topicAlias: 1 } }))],
      publishOf(0, {
        topic: '',
        properties: { topicAlias: 1 },
      }),
    ),
    make('PUBREL with properties', [...connected, send(publishOf(2)), fence()], {
      type: 'PUBREL',
      packetId: 1,
      ...outcome('PUBREL'),
    }),
    make('PUBACK with properties', receives(version, 1), { type: 'PUBACK', packetId: 1, ...outcome('PUBACK') }),
    make('PUBREC with properties', receives(version, 2), { type: 'PUBREC', packetId: 1, ...outcome('PUBREC') }),
    make('PUBCOMP with properties', receives(version, 2), { type: 'PUBCOMP', packetId: 1, ...outcome('PUBCOMP') }),
    make('SUBSCRIBE with properties', connected, { ...subscribeOf(1), ...given('SUBSCRIBE') }),
    make('SUBSCRIBE with options', connected, {
      type: 'SUBSCRIBE',
      packetId: 3,
      filters: [
        { filter: everyTopic, qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        { filter: `$share/g/${caseName}/a`, qos: 1, retainHandling: 1 },
      ],
    }),
    make('UNSUBSCRIBE with properties', connected, {
      type: 'UNSUBSCRIBE',
      packetId: 2,
      filters: [everyTopic],
      ...given('UNSUBSCRIBE'),
    }),
    make('DISCONNECT with code', connected, { type: 'DISCONNECT', code: 0 }),
    make('DISCONNECT with properties', connected, { type: 'DISCONNECT', ...outcome('DISCONNECT') }),
    aside('DISCONNECT with will', [send(connectOf(version, 'a', { will: full }))], { type: 'DISCONNECT', code: 4 }),
    make('AUTH', connected, { type: 'AUTH', code: 0x18, ...given('AUTH') }),
    aside('CONNECT with a password alone', [], connectOf(version, 'a', { password: 'secret' })),
    aside(
      'PUBLISH by an alias that stands for nothing',
      connected,
      publishOf(1, { topic: '', properties: { topicAlias: 3 } }),
    ),
    aside(
      'CONNECT with a will that is no text',
      [],
      connectOf(version, 'a', {
        will: { ...will, payload: { hex: 'c080' }, properties: { payloadFormatIndicator: 1 } },
      }),
    ),
    aside(
      'PUBLISH that is no text',
      connected,
      publishOf(1, { payload: { hex: 'c080' }, properties: { payloadFormatIndicator: 1 } }),
    ),
    aside('DISCONNECT that keeps a session after all', connected, {
      type: 'DISCONNECT',
      code: 0,
      properties: { sessionExpiryInterval: 5 },
    }),
    aside(
      'CONNECT with a session that stays for ever',
      [],
      connectOf(version, 'a', {
        properties: { sessionExpiryInterval: 0xffff_ffff },
      }),
    ),
    aside('AUTH with its method only', connected, {
      type: 'AUTH',
      code: 0x19,
      properties: { authenticationMethod: 'method' },
    }),
    aside('CONNACK with properties from the client', connected, {
      type: 'CONNACK',
      sessionPresent: false,
      ...outcome('CONNACK'),
    }),
  ];
}

/** Every scene of both versions. */
export const scenes: readonly Scene[] = [...common('v3'), ...common('v5'), ...withProperties()];

const chosen = new Map<string, readonly Scene[]>();

/** The scenes of these versions. */
export function scenesOf(versions: readonly Version[]): readonly Scene[] {
  const key = versions.join();
  const found = chosen.get(key) ?? scenes.filter(({ version }) => versions.includes(version));
  chosen.set(key, found);
  return found;
}

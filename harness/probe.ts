/** What the broker can do, found out before the run: what it may lack without breaking the standard. */

import type { Capability } from './case.ts';
import { CouldNotRun, NotApplicable, Unreachable, Violation } from './errors.ts';
import type { Capabilities } from './events.ts';
import type { Peer } from './peer.ts';
import { code } from './reading.ts';
import { Scene, type Stage } from './scene.ts';
import type { Version } from './spec/index.ts';
import { challengeMethod } from './wire/challenge.ts';
import type { Properties, QoS } from './wire/packet.ts';

/** Where the ordinals begin that name the scenes of this file: both versions may be looked at side by side. */
const names: Readonly<Record<Version, number>> = { v3: 0, v5: 20 };

/** Finds out one capability: resolves if the broker has it, throws the reason if not. */
type Probe = (scene: Scene) => Promise<void>;

/** Only a lower grant counts: a broker that grants a QoS and then breaks its handshake does not lack it, it fails. */
function grants(qos: QoS): Probe {
  return async (scene) => {
    const client = await scene.connect();
    const [granted = 0x80] = await client.request([scene.topic, qos]);
    if (granted !== qos) scene.notApplicable(`SUBACK ${code(granted)} where QoS ${qos} was asked for`);
  };
}

/** A server of 5.0 says in CONNACK what it lacks (section 3.2.2.3); what it does not mention it serves. */
function announces(title: string, lacks: (properties: Properties) => boolean): Probe {
  return async (scene) => {
    const { connack } = await scene.connect();
    if (lacks(connack?.properties ?? {})) scene.notApplicable(`CONNACK has ${title}`);
  };
}

function serves(qos: 1 | 2): Probe {
  return async (scene) => {
    const { connack } = await scene.connect();
    const { maximumQoS = 2 } = connack?.properties ?? {};
    if (maximumQoS < qos) scene.notApplicable(`CONNACK has Maximum QoS ${maximumQoS}`);
    await grants(qos)(scene);
  };
}

const probes: Readonly<Partial<Record<Capability, Probe>>> = {
  qos1: grants(1),
  qos2: grants(2),
  async wildcards(scene) {
    const client = await scene.connect();
    const codes = await client.request([`${scene.topic}/+`, 0], [`${scene.topic}/#`, 0]);
    if (codes.some((each) => each >= 0x80)) scene.notApplicable(`SUBACK ${codes.map(code).join(' ')}`);
  },
  async 'empty-client-id'(scene) {
    await scene.connect({ clientId: '' });
  },
  async anonymous(scene) {
    const client = await scene.open();
    const { userName: _, password: __, ...packet } = scene.connectPacket();
    client.send(packet);
    const answer = await client.next();
    if (answer?.type !== 'CONNACK' || answer.code !== 0) scene.notApplicable('the broker asks for credentials');
  },
  async 'dollar-topics'(scene) {
    const client = await scene.connect();
    const dollar = `$${scene.topic}`;
    await client.request([dollar, 0], [scene.topic, 0]);
    await client.publish({ topic: dollar, payload: scene.token });
    await client.publish({ topic: scene.topic, payload: 'fence' });
    if ((await client.receive()).topic !== dollar) scene.notApplicable('a message to such a topic is not delivered');
  },
  retain: async () => {},
  'denied-topic': async (scene) => void scene.deniedTopic(),
};

const probesOf: Readonly<Record<Version, Readonly<Partial<Record<Capability, Probe>>>>> = {
  v3: probes,
  v5: {
    ...probes,
    qos1: serves(1),
    qos2: serves(2),
    retain: announces('Retain Available 0', ({ retainAvailable }) => retainAvailable === 0),
    'subscription-identifiers': announces(
      'Subscription Identifiers Available 0',
      ({ subscriptionIdentifierAvailable }) => subscriptionIdentifierAvailable === 0,
    ),
    'shared-subscriptions': announces(
      'Shared Subscription Available 0',
      ({ sharedSubscriptionAvailable }) => sharedSubscriptionAvailable === 0,
    ),
    'topic-aliases': announces('no Topic Alias Maximum', ({ topicAliasMaximum = 0 }) => topicAliasMaximum === 0),
    async wildcards(scene) {
      await announces(
        'Wildcard Subscription Available 0',
        ({ wildcardSubscriptionAvailable }) => wildcardSubscriptionAvailable === 0,
      )(scene);
      await probes.wildcards?.(scene);
    },
    async authentication(scene) {
      scene.proof(new Uint8Array(0));
      const client = await scene.open();
      client.send(scene.connectPacket({ properties: { authenticationMethod: challengeMethod } }));
      const answer = await client.next();
      if (answer?.type !== 'AUTH') scene.notApplicable(`no challenge to the method ${challengeMethod}`);
    },
  },
};

/** Probes each capability on connections of its own. Rejects with Unreachable when the target is lost. */
export async function probe(stage: Stage, version: Version): Promise<Capabilities> {
  const own = Object.entries(probesOf[version]);
  const found = await Promise.all(
    own.map(
      async ([name, each], index) =>
        [name, await attempt(new Scene(stage, version, names[version] + index, 1), each)] as const,
    ),
  );
  return Object.fromEntries(found);
}

/** How a broker answers a client of a version of the protocol that it does not speak. */
export interface Refusal {
  /** In words that follow "the target": what it does, and what the standard says of it. */
  readonly how: string;
  /** Whether a CONNACK says so: a close may have any reason. */
  readonly said: boolean;
}

/** How a broker refuses clients of this version, or undefined if it lets them in or answers in another way. */
export async function refusal(stage: Stage, version: Version): Promise<Refusal | undefined> {
  const scene = new Scene(stage, version, names[version] + 18, 1);
  try {
    const client = await scene.open();
    client.send(scene.connectPacket());
    const answer = await client.next().catch((error: unknown) => {
      if (error instanceof Violation) return undefined;
      throw error;
    });
    if (client.olderConnack) {
      const { code: returnCode } = client.olderConnack;
      if (returnCode === 0) return { how: 'serves the client as one of MQTT 3.1.1', said: true };
      const worth = returnCode === 1 ? 'as' : 'not as';
      const how = `sends CONNACK ${code(returnCode)} in the form of 3.1.1, ${worth} v3/3.1.2-2 demands, and ${await closing(client)}`;
      return { how, said: true };
    }
    if (!answer) {
      const silent = scene.violation !== undefined || !(await client.isClosed(0));
      return silent ? undefined : { how: closes[version], said: false };
    }
    if (answer.type !== 'CONNACK' || answer.code !== (version === 'v5' ? 0x84 : 1)) return undefined;
    return { how: `sends CONNACK ${code(answer.code)}, and ${await closing(client)}`, said: true };
  } finally {
    await scene.cleanUp();
  }
}

async function closing(client: Peer): Promise<string> {
  return (await client.isClosed()) ? 'closes the connection' : 'leaves the connection open';
}

/** A close without a word, and what the standard that such a broker follows says of it. */
const closes: Readonly<Record<Version, string>> = {
  v3: 'closes the connection without CONNACK, as it may (v5/3.1.2-2)',
  v5: 'closes the connection without CONNACK, where MQTT 3.1.1 asks for CONNACK 0x01 (v3/3.1.2-2)',
};

async function attempt(scene: Scene, probe: Probe): Promise<true | string> {
  try {
    await probe(scene);
    return true;
  } catch (error) {
    if (error instanceof NotApplicable || error instanceof CouldNotRun) return error.message;
    if (error instanceof Violation) return `${error.actual}; expected ${error.expected.join(' or ')}`;
    if (error instanceof Unreachable) throw error;
    throw error;
  } finally {
    await scene.cleanUp();
  }
}

/**
 * The sanity check: a client connects, subscribes, publishes and receives its message. Resolves with undefined if all is well,
 * else with what is wrong, in one line.
 */
export async function sanity(stage: Stage, version: Version): Promise<string | undefined> {
  const scene = new Scene(stage, version, names[version] + 19, 1);
  try {
    const client = await scene.connect();
    await client.request([scene.topic, 0]);
    await client.publish({ topic: scene.topic, payload: 'sane?' });
    await client.receive({ payload: 'sane?' });
    return undefined;
  } catch (error) {
    // A broken rule explains whatever else went wrong after it.
    const cause = scene.violation ?? error;
    if (cause instanceof Violation) {
      return `a client can't even connect, subscribe and receive its own message: ${cause.actual}${citation(cause)}`;
    }
    if (cause instanceof CouldNotRun || cause instanceof Unreachable) return cause.message;
    throw error;
  } finally {
    await scene.cleanUp();
  }
}

function citation({ requirements: [id] }: Violation): string {
  return id ? ` (${id})` : '';
}

/** Looks happen side by side: each needs a Client Identifier of its own. */
let looks = 0;

/** Whether the broker still lets a client in and answers it. */
export async function alive(stage: Stage, version: Version): Promise<boolean> {
  const scene = new Scene(stage, version, 1, ++looks);
  try {
    await (await scene.connect()).fence();
    return true;
  } catch (error) {
    if (error instanceof Violation || error instanceof CouldNotRun || error instanceof Unreachable) return false;
    throw error;
  } finally {
    await scene.cleanUp();
  }
}

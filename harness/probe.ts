/** What the broker can do, found out before the run: what it may lack without breaking the standard. */

import type { Capability } from './case.ts';
import { CouldNotRun, NotApplicable, Unreachable, Violation } from './errors.ts';
import type { Capabilities } from './events.ts';
import { code } from './reading.ts';
import { Scene, type Stage } from './scene.ts';
import type { Version } from './spec/index.ts';
import type { QoS } from './wire/packet.ts';

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

const probes: Readonly<Record<Capability, Probe>> = {
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
};

/** Probes each capability on connections of its own. Rejects with Unreachable when the target is lost. */
export async function probe(stage: Stage, version: Version): Promise<Capabilities> {
  const names = Object.keys(probes) as Capability[];
  const found = await Promise.all(
    names.map(async (name, index) => [name, await attempt(new Scene(stage, version, index, 1), probes[name])] as const),
  );
  return Object.fromEntries(found);
}

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
  const scene = new Scene(stage, version, 0, 1);
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

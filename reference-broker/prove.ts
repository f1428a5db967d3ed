/**
 * The proof that every case can fail: each runs against the reference broker, which it must pass, and against the reference
 * broker with each requirement that it covers broken, which it must not. In memory and in virtual time, so no wait takes long.
 */

import type { Case } from '../harness/case.ts';
import { type Clock, VirtualClock } from '../harness/clock.ts';
import type { Capabilities, CaseInfo } from '../harness/events.ts';
import { type Ending, perform } from '../harness/perform.ts';
import { probe } from '../harness/probe.ts';
import { Scene, type Stage } from '../harness/scene.ts';
import { type RequirementId, requirement, type Version } from '../harness/spec/index.ts';
import type { Credentials } from '../harness/target.ts';
import { memory, type Transport } from '../harness/transport.ts';
import { createBroker, type Limits } from './broker.ts';
import type { Choices } from './choices.ts';
import { excuses } from './excuses.ts';
import type { Gate } from './obeys.ts';

/** A case in one version, as `select.ts` lists them. */
export interface Provable {
  readonly info: CaseInfo;
  readonly case: Case;
  readonly version: Version;
}

/** What the proof of one case found. */
export interface Proof {
  readonly case: string;
  /** How the case ended against the unbroken broker. */
  readonly healthy: Ending;
  /** Every gate that the unbroken broker consulted during the case. */
  readonly consulted: ReadonlySet<Gate>;
  /** The gates whose breaking the case notices. */
  readonly killed: ReadonlySet<Gate>;
  /** What is wrong with the case, in one line each; empty if it is proven. */
  readonly problems: readonly string[];
}

const timeoutMs = 5_000;
const deniedTopic = 'proof/denied';

/** What one attempt at a case is set up with. */
export interface Setting {
  readonly faults?: readonly Gate[];
  readonly choices?: Partial<Choices>;
  /** Whom the broker lets in; everybody unless given. */
  readonly credentials?: Required<Credentials>;
  /** What the broker serves less than it could (5.0). */
  readonly limits?: Partial<Limits>;
  /** What clients prove to know (5.0, section 4.12). */
  readonly secret?: string;
  /** Topic Filters that no client may use. */
  readonly denied?: readonly string[];
  /** What lies between the case and the broker. */
  readonly network?: (transport: Transport, clock: Clock) => Transport;
  readonly consulted?: (gate: Gate) => void;
  readonly choosing?: (name: keyof Choices) => void;
}

/** What the reference broker can do in this setting, as the probing of a run finds it. */
export function capabilitiesOf(setting: Setting, version: Version): Promise<Capabilities> {
  const clock = new VirtualClock();
  return clock.run(probe(stageFor(clock, setting), version));
}

/**
 * Runs a case once against a fresh reference broker, in memory and virtual time; not if it needs what `capabilities` lack.
 * Rejects when the case is stuck.
 */
export async function attempt(each: Provable, setting: Setting = {}, capabilities?: Capabilities): Promise<Ending> {
  const clock = new VirtualClock();
  const stage = stageFor(clock, setting);
  const scene = new Scene(stage, each.version, 100, 1);
  const lacking = capabilities && each.case.needs?.find((name) => capabilities[name] !== true);
  if (lacking) return { scene, verdict: 'not-applicable', reason: `needs ${lacking}: ${capabilities[lacking]}` };
  return clock.run(perform(stage, each, scene));
}

function stageFor(clock: VirtualClock, setting: Setting): Stage {
  const { faults = [], choices = {}, credentials, limits, secret, denied, consulted, choosing, network } = setting;
  const broker = createBroker({
    ...limits,
    clock,
    faults,
    choices,
    ...(secret !== undefined && { secret }),
    ...(denied && { denied }),
    ...(credentials && { credentials: { [credentials.userName]: credentials.password } }),
    ...(consulted && { consulted }),
    ...(choosing && { choosing }),
  });
  const direct = memory(broker);
  return {
    target: {
      name: 'the reference broker',
      options: '',
      transport: network ? network(direct, clock) : direct,
      ...(credentials && { credentials }),
      ...(secret !== undefined && { secret }),
      ...(denied && { deniedTopic }),
    },
    clock,
    timeoutMs,
    toleranceMs: 6_000,
    prefix: 'proof',
    runToken: 'proof0',
  };
}

/**
 * The reference broker as it is, and in the settings that some requirements only show in: what a broker does that asks for
 * credentials, serves `$` topics, or refuses what it may refuse. A case is proved in the first settings that let it.
 */
const settings: readonly Setting[] = [
  {},
  { credentials: { userName: 'proof', password: 'secret' } },
  { choices: { dollarTopics: 'deliver' } },
  { choices: { dollarTopics: 'close' } },
  { choices: { otherClientIds: 'refuse', emptyClientId: 'refuse', badConnect: 'CONNACK' } },
  { choices: { controlCharacters: 'close' } },
  { choices: { wildcards: 'refuse' } },
  { choices: { deliverOn: 'PUBREL' } },
];

/** Those that only clients of 5.0 can tell from the broker as it is. */
const v5Settings: readonly Setting[] = [
  { secret: 'proof' },
  { limits: { maximumQoS: 1, retainAvailable: false } },
  { limits: { maximumQoS: 0, topicAliasMaximum: 0 } },
  {
    limits: {
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifierAvailable: false,
      sharedSubscriptionAvailable: false,
    },
  },
  { limits: { serverKeepAlive: 10, maximumSessionExpirySeconds: 5 } },
  { limits: { receiveMaximum: 2, maximumPacketSize: 1_000 } },
  { denied: [deniedTopic] },
  { choices: { overlapping: 'each' } },
  { choices: { payloadFormat: 'DISCONNECT' } },
  { choices: { invalidFilter: '0x80' } },
];

const settingsOf: Readonly<Record<Version, readonly Setting[]>> = {
  v3: settings,
  v5: [...settings, ...v5Settings],
};

const capabilities = { v3: new Map<Setting, Promise<Capabilities>>(), v5: new Map<Setting, Promise<Capabilities>>() };

/** Probing a setting once is enough. */
function known(setting: Setting, version: Version): Promise<Capabilities> {
  const found = capabilities[version].get(setting) ?? capabilitiesOf(setting, version);
  capabilities[version].set(setting, found);
  return found;
}

/** Proves one case, both ways. */
export async function prove(each: Provable): Promise<Proof> {
  const consulted = new Set<Gate>();
  const killed = new Set<Gate>();
  const wanted = each.info.strength === 'MAY' ? 'info' : 'pass';
  let first: Ending | undefined;
  let open: readonly RequirementId[] = each.info.covers;
  for (const setting of settingsOf[each.version]) {
    const asked = new Set<Gate>();
    const healthy = await attempt(
      each,
      { ...setting, consulted: (gate) => asked.add(gate) },
      await known(setting, each.version),
    );
    first ??= healthy;
    if (healthy.verdict === 'not-applicable') continue;
    if (healthy.verdict !== wanted) {
      if (setting !== settings[0]) continue;
      const problem =
        `is ${healthy.verdict} on the unbroken broker: ${healthy.reason ?? ''} ${describe(healthy)}`.trim();
      return { case: each.info.id, healthy, consulted, killed, problems: [problem] };
    }
    first = first.verdict === wanted ? first : healthy;
    for (const gate of asked) consulted.add(gate);
    const left: RequirementId[] = [];
    for (const id of open) if (!(await noticesAny(each, healthy, setting, id, asked, killed))) left.push(id);
    open = left.filter((id) => !excused(id, each.info.id));
    if (open.length === 0) break;
  }
  const healthy = first as Ending;
  const problems = open.map((id) => {
    const asked = [...consulted].some((gate) => requirementOf(gate) === id);
    return asked ? `does not notice that ${id} is broken` : `covers ${id}, which the broker never consults`;
  });
  if (healthy.verdict !== wanted)
    problems.unshift(`applies in no setting of the unbroken broker: ${healthy.reason ?? ''}`);
  return { case: each.info.id, healthy, consulted, killed, problems };
}

/** Breaks a requirement as a whole, then each of its aspects; adds what the case notices to `killed`. */
async function noticesAny(
  each: Provable,
  healthy: Ending,
  setting: Setting,
  id: RequirementId,
  asked: ReadonlySet<Gate>,
  killed: Set<Gate>,
): Promise<boolean> {
  const gates = new Set<Gate>([id]);
  for (const gate of asked) if (requirementOf(gate) === id) gates.add(gate);
  let noticed = false;
  for (const gate of gates) {
    const broken = await attempt(each, { ...setting, faults: [gate] });
    // A verdict on the broker is wanted, not a failed set-up.
    if (!broken.finding && !(broken.verdict === 'non-strict' && healthy.verdict !== 'non-strict')) continue;
    noticed = true;
    killed.add(gate);
  }
  return noticed;
}

/** The requirement that a gate belongs to. */
export function requirementOf(gate: Gate): string {
  return gate.replace(/#.*/, '');
}

/** A permission cannot be broken; what else is excused stands in the list with its reason. */
function excused(id: RequirementId, caseId: string): boolean {
  return requirement(id).level === 'MAY' || excuses[id] !== undefined || excuses[`${caseId} ${id}`] !== undefined;
}

function describe({ finding }: Ending): string {
  return finding ? `(expected ${finding.expected.join(' or ')})` : '';
}

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
import { memory, type Transport } from '../harness/transport.ts';
import { createBroker } from './broker.ts';
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

const timeoutMs = 10_000;

/** What one attempt at a case is set up with. */
export interface Setting {
  readonly faults?: readonly Gate[];
  readonly choices?: Partial<Choices>;
  /** What lies between the case and the broker. */
  readonly network?: (transport: Transport, clock: Clock) => Transport;
  readonly consulted?: (gate: Gate) => void;
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

function stageFor(clock: VirtualClock, { faults = [], choices = {}, consulted, network }: Setting): Stage {
  const broker = createBroker({ clock, faults, choices, ...(consulted && { consulted }) });
  const direct = memory(broker);
  return {
    target: { name: 'the reference broker', options: '', transport: network ? network(direct, clock) : direct },
    clock,
    timeoutMs,
    toleranceMs: 6_000,
    prefix: 'proof',
    runToken: 'proof0',
  };
}

/** Proves one case, both ways. */
export async function prove(each: Provable): Promise<Proof> {
  const consulted = new Set<Gate>();
  const healthy = await attempt(each, { consulted: (gate) => consulted.add(gate) });
  const wanted = each.info.strength === 'MAY' ? 'info' : 'pass';
  const problems: string[] = [];
  if (healthy.verdict !== wanted) {
    problems.push(`is ${healthy.verdict} on the unbroken broker: ${healthy.reason ?? ''} ${describe(healthy)}`.trim());
  }
  const killed = new Set<Gate>();
  for (const id of each.info.covers) {
    const gates = new Set<Gate>([id]);
    for (const gate of consulted) if (requirementOf(gate) === id) gates.add(gate);
    let noticed = false;
    for (const gate of gates) {
      if (!(await notices(each, healthy, gate))) continue;
      noticed = true;
      killed.add(gate);
    }
    if (noticed || excused(id, each.info.id)) continue;
    const asked = [...consulted].some((gate) => requirementOf(gate) === id);
    problems.push(asked ? `does not notice that ${id} is broken` : `covers ${id}, which the broker never consults`);
  }
  return { case: each.info.id, healthy, consulted, killed, problems };
}

/** Whether the case ends otherwise once the gate is broken, and by a verdict on the broker rather than a failed set-up. */
async function notices(each: Provable, healthy: Ending, gate: Gate): Promise<boolean> {
  const broken = await attempt(each, { faults: [gate] });
  return broken.finding !== undefined || (broken.verdict === 'non-strict' && healthy.verdict !== 'non-strict');
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

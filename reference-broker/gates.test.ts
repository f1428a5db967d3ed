/** No gate for nothing: a client can see of each that it is broken. */

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  isRequirementId,
  type RequirementId,
  requirement,
  requirementIds,
  type Version,
  versionOf,
} from '../harness/spec/index.ts';
import { pingreq } from '../harness/wire/build.ts';
import { examples } from '../harness/wire/examples.ts';
import type { Gate } from './broker.ts';
import { requirementOf } from './prove.ts';
import { play, type Scenes } from './scenes/scene.fixture.ts';
import { scenes3 } from './scenes/v3.fixture.ts';
import { connectScenes5 } from './scenes/v5-connect.fixture.ts';
import { publishScenes5 } from './scenes/v5-publish.fixture.ts';
import { subscribeScenes5 } from './scenes/v5-subscribe.fixture.ts';
import { ungated } from './ungated.ts';

const scenes: Scenes = { ...scenes3, ...connectScenes5, ...publishScenes5, ...subscribeScenes5, ...malformedScenes() };

function malformedScenes(): Scenes {
  const rows: Scenes = {};
  for (const { id, version, when, bytes } of [...examples.v3.malformed, ...examples.v5.malformed]) {
    rows[`malformed: ${version} ${id}`] = (scene) => {
      scene.connect('other');
      const will = { topic: 'to' };
      const open = { v3: () => scene.connect('cl', { will }), v5: () => scene.connect5('cl', { will }) };
      const client = when === 'first' ? scene.open('cl', version) : open[version]();
      client.sendBytes(bytes('to', 'cl'));
      if (when === 'connected') client.send(pingreq());
    };
  }
  return rows;
}

/** Gates that stand in the program text, as far as they are written out there. */
function writtenGates(): Set<string> {
  const folder = new URL('.', import.meta.url);
  const files = readdirSync(folder).filter((file) =>
    /^(?!prove|excuses|ungated|testClient).*(?<!\.test)\.ts$/.test(file),
  );
  const text = files.map((file) => readFileSync(new URL(file, folder), 'utf8').replace(/^ *(\/\/|\/?\*).*$/gm, ''));
  return new Set(text.join('\n').match(/(?<=')v[35]\/[^'\s]+(?=')/g));
}

describe('every gate', () => {
  const names = Object.keys(scenes);
  const healthy = new Map<string, string>();
  const askedIn = new Map<Gate, Set<string>>();
  for (const name of names) {
    const note = (gate: Gate) => askedIn.set(gate, (askedIn.get(gate) ?? new Set()).add(name));
    healthy.set(name, play(scenes, name, [], note));
  }

  it('of the program text is asked in some scene', () => {
    const plain = new Set([...askedIn.keys()].map((gate) => gate.replace(/#.*/, '')));
    const asked = new Set<string>([...askedIn.keys(), ...plain]);
    expect([...writtenGates()].filter((gate) => !asked.has(gate))).toEqual([]);
  });

  it('makes no difference as long as none is broken', () => {
    for (const name of names) expect(play(scenes, name, [])).toBe(healthy.get(name));
  });

  it.each([...askedIn.keys()].sort())('%s: a client sees when it is broken', (gate) => {
    const noticed = [...(askedIn.get(gate) ?? [])].some((name) => play(scenes, name, [gate]) !== healthy.get(name));
    expect(noticed).toBe(true);
  });

  it.each<Version>(['v3', 'v5'])(
    'there is one for every requirement of %s that shows and is no permission',
    (version) => {
      const asked = new Set([...askedIn.keys()].map(requirementOf));
      const isOurs = (id: RequirementId) => requirement(id).observable !== 'no' && requirement(id).level !== 'MAY';
      const ours = requirementIds.filter((id) => versionOf(id) === version && isOurs(id));
      const missing = ours.filter((id) => !asked.has(id) && !ungated[id]);
      const needless = Object.keys(ungated).filter((id) => !isRequirementId(id) || asked.has(id));
      expect({ missing, needless }).toEqual({ missing: [], needless: [] });
    },
  );
});

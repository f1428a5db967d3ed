/**
 * The history oracle: what the clients of a play did, and were told, held against what they got. Nothing lost, nothing twice, order kept, identifiers freed, sessions,
 * subscriptions and retained messages as acknowledgements prove that they have to be.
 */

import type { Model } from '../model.ts';
import { modelOf } from '../model.ts';
import type { Finding, Oracle } from '../record.ts';
import type { Script, Step } from '../script.ts';
import { judgeDeliveries } from './deliveries.ts';
import { judgeExchanges } from './exchanges.ts';
import { broken, type Rule } from './law.ts';
import { judgeLosses } from './losses.ts';
import { judgeOrder } from './order.ts';
import { judgeAcknowledged, judgeWills } from './owed.ts';
import { judgeTerms } from './terms.ts';
import { judgeTimes } from './timing.ts';

/** The oracle for a broker that hands a message on before it answers what comes behind it. */
export const history: Oracle = historyAfter(0);

/**
 * The oracle that calls a message lost only if the broker took it so many milliseconds before the subscriber came to rest. Over a network a
 * finding whose kind begins with `lost` should be confirmed so, on the script that `settled` returns.
 */
export function historyAfter(patienceMs: number): Oracle {
  return (recording) => {
    const model = modelOf(recording);
    if (!model) return [];
    // Where a broker may have gone on after a fault, only what stands on one connection is judged.
    if (model.hasFaults) return [...judgeTerms(model), ...judgeAcknowledged(model, patienceMs), ...judgeTimes(model)];
    return [
      ...judgePresence(model),
      ...judgeTerms(model),
      ...judgeDeliveries(model),
      ...judgeOrder(model),
      ...judgeExchanges(model),
      ...judgeLosses(model, patienceMs),
      ...judgeAcknowledged(model, patienceMs),
      ...judgeWills(model, patienceMs),
      ...judgeTimes(model),
    ];
  };
}

/** The script with an end that brings every client to rest: all is acknowledged, time passes, and what came meanwhile is acknowledged too. */
export function settled({ clients, steps }: Script, patienceMs: number): Script {
  const acknowledge: Step[] = clients.map((_, client) => ({ client, do: 'acknowledge' }));
  const wait: Step[] = patienceMs > 0 ? [{ client: 0, do: 'wait', ms: patienceMs }] : [];
  return { clients, steps: [...steps, ...acknowledge, ...wait, ...acknowledge] };
}

const rules = {
  present: { v3: ['v3/3.2.2-2', 'v3/3.1.2-4'], v5: ['v5/3.2.2-3', 'v5/3.1.2-5', 'v5/3.1.2-23'] },
  absent: {
    v3: ['v3/3.2.2-3', 'v3/3.2.2-1', 'v3/3.1.2-6'],
    v5: ['v5/3.2.2-3', 'v5/3.2.2-2', 'v5/3.1.2-4', 'v5/4.1.0-2'],
  },
} as const satisfies Record<string, Rule>;

/** Session Present, in answer to the CONNECTs whose session is known (section 3.2.2.2). */
function* judgePresence({ presences, hasFaults }: Model): Generator<Finding> {
  if (hasFaults) return;
  for (const { life, expected, actual } of presences) {
    const rule = expected ? rules.present : rules.absent;
    yield broken(
      expected ? 'session not resumed' : 'Session Present without a session',
      { rule, version: life.version },
      {
        expected: `Session Present ${Number(expected)}`,
        actual: `Session Present ${Number(actual)}`,
        at: life.connack?.order,
      },
    );
  }
}

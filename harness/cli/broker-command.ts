/** The command `broker`: the reference broker on a TCP port, whole or with faults, until it is interrupted. */

import { type Choices, defaultChoices } from '../../reference-broker/choices.ts';
import type { Gate } from '../../reference-broker/obeys.ts';
import { UsageError } from '../errors.ts';
import type { ExitCode } from '../events.ts';
import { nearest } from '../select.ts';
import { isRequirementId, requirementIds } from '../spec/index.ts';
import type { Io } from './io.ts';
import { reasonOf } from './values.ts';

export interface BrokerArguments {
  readonly port: number;
  readonly host: string;
  readonly break?: readonly string[];
  readonly choice?: readonly string[];
}

/** Serves until the user interrupts; that is its normal end. */
export async function brokerCommand(given: BrokerArguments, io: Io): Promise<ExitCode> {
  const faults = (given.break ?? []).map(parseGate);
  const choices = Object.fromEntries((given.choice ?? []).map(parseChoice)) as Partial<Choices>;
  const [{ createBroker }, { listen }] = await Promise.all([
    import('../../reference-broker/broker.ts'),
    import('../../reference-broker/listen.ts'),
  ]);
  const broker = createBroker({ faults, choices });
  const listener = await listen(broker, { port: given.port, host: given.host }).catch((error: unknown) => {
    throw new UsageError(`cannot listen at ${given.host}:${given.port}: ${listenReason(error)}`);
  });
  const said = [...faults.map((gate) => `breaks ${gate}`), ...(given.choice ?? [])];
  io.stdout.write(
    `the reference broker listens at ${given.host}:${listener.port}${said.length > 0 ? ` (${said.join(', ')})` : ''}\n`,
  );
  await new Promise<void>((resolve) => {
    if (io.signal?.aborted) resolve();
    io.signal?.addEventListener('abort', () => resolve());
  });
  await listener.close();
  return 0;
}

function parseGate(text: string): Gate {
  const id = text.replace(/#.*/, '');
  if (isRequirementId(id)) return text as Gate;
  const near = nearest(id, requirementIds);
  throw new UsageError(
    `--break: there is no requirement ${id}${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
  );
}

/** `name=value` with the type that this choice has by default. */
function parseChoice(text: string): [keyof Choices, Choices[keyof Choices]] {
  const [name = '', value = ''] = text.split(/=(.*)/s);
  if (!Object.hasOwn(defaultChoices, name)) {
    throw new UsageError(`--choice: there is no choice '${name}'; there are ${Object.keys(defaultChoices).join(', ')}`);
  }
  const key = name as keyof Choices;
  const initial = defaultChoices[key];
  const wrong = () => new UsageError(`--choice: ${name}=${value} is not possible; the default is ${name}=${initial}`);
  switch (typeof initial) {
    case 'number':
      if (!/^\d+$/.test(value)) throw wrong();
      return [key, Number(value) as Choices[keyof Choices]];
    case 'boolean':
      if (value !== 'true' && value !== 'false') throw wrong();
      return [key, value === 'true'];
    default:
      if (value === '') throw wrong();
      return [key, value as Choices[keyof Choices]];
  }
}

function listenReason(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return 'the port is in use';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address';
    default:
      return reasonOf(error);
  }
}

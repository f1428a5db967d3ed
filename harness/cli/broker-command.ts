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
  readonly limit?: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly deny?: readonly string[];
  readonly authSecret?: string;
}

/** Serves until the user interrupts; that is its normal end. */
export async function brokerCommand(given: BrokerArguments, io: Io): Promise<ExitCode> {
  const faults = (given.break ?? []).map(parseGate);
  const choices = Object.fromEntries(
    (given.choice ?? []).map((text) => parseSetting('--choice', 'choice', defaultChoices, text)),
  ) as Partial<Choices>;
  if ((given.user === undefined) !== (given.password === undefined)) {
    throw new UsageError('--user and --password: give both or neither');
  }
  const [{ createBroker, defaultLimits }, { listen }] = await Promise.all([
    import('../../reference-broker/broker.ts'),
    import('../../reference-broker/listen.ts'),
  ]);
  const limits = Object.fromEntries(
    (given.limit ?? []).map((text) => parseSetting('--limit', 'limit', { ...defaultLimits, serverKeepAlive: 0 }, text)),
  );
  const broker = createBroker({
    ...limits,
    faults,
    choices,
    ...(given.user !== undefined && { credentials: { [given.user]: given.password ?? '' } }),
    ...(given.deny && { denied: given.deny }),
    ...(given.authSecret !== undefined && { secret: given.authSecret }),
  });
  const listener = await listen(broker, { port: given.port, host: given.host }).catch((error: unknown) => {
    throw new UsageError(`cannot listen at ${given.host}:${given.port}: ${listenReason(error)}`);
  });
  const said = [...faults.map((gate) => `breaks ${gate}`), ...(given.choice ?? []), ...(given.limit ?? [])];
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

/** `name=value` with the type that this setting has by default. */
function parseSetting(
  option: string,
  noun: string,
  defaults: object,
  text: string,
): readonly [string, string | number | boolean] {
  const [name = '', value = ''] = text.split(/=(.*)/s);
  if (!Object.hasOwn(defaults, name)) {
    throw new UsageError(`${option}: there is no ${noun} '${name}'; there are ${Object.keys(defaults).join(', ')}`);
  }
  const initial = (defaults as Record<string, unknown>)[name];
  const wrong = () => new UsageError(`${option}: ${name}=${value} is not possible; the default is ${name}=${initial}`);
  switch (typeof initial) {
    case 'number':
      if (!/^\d+$/.test(value)) throw wrong();
      return [name, Number(value)];
    case 'boolean':
      if (value !== 'true' && value !== 'false') throw wrong();
      return [name, value === 'true'];
    default:
      if (value === '') throw wrong();
      return [name, value];
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

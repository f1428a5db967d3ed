/** Scripts out of files: our own JSON, or bytes as people write them down: hex or `printf`, one line after the other, on one connection or several. */

import { UsageError } from '../harness/errors.ts';
import type { Version } from '../harness/spec/index.ts';
import { packetTypes } from '../harness/wire/packet.ts';
import type { Script, ScriptClient, Step } from './script.ts';
import { bytesOf } from './written.ts';

const forms =
  'give a script or a finding as JSON, or lines of hex such as `10 0c 00 04 …`, with the number of the connection before it if there are several: `2: c0 00`';

/**
 * The script that a file holds. Throws UsageError, in one line, for anything else.
 * @param name of the file, for that line
 */
export function parseScript(text: string, name: string): Script {
  const content = text.replace(/^\ufeff/, '').trim();
  if (content === '') throw new UsageError(`${name} is empty: ${forms}`);
  return /^[{[]/.test(content) ? fromJson(content, name) : fromLines(content, name);
}

// ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

type Fields = Readonly<Record<string, unknown>>;

function fromJson(text: string, name: string): Script {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${name} is no JSON: ${line(error)}`);
  }
  const script = isFields(value) && isFields(value.script) ? value.script : value;
  if (!isFields(script) || !Array.isArray(script.clients) || !Array.isArray(script.steps)) {
    throw new UsageError(`${name} holds no script: it needs a list 'clients' and a list 'steps'`);
  }
  const clients = script.clients.map((client, at) => checkedClient(client, `${name}: client ${at}`));
  if (clients.length === 0) throw new UsageError(`${name} holds no script: it has no clients`);
  const steps = script.steps.map((step, at) => checkedStep(step, clients, `${name}: step ${at}`));
  return { clients, steps };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkedClient(value: unknown, where: string): ScriptClient {
  if (isFields(value) && (value.version === 'v3' || value.version === 'v5')) return { version: value.version };
  throw new UsageError(`${where} needs a version, 'v3' or 'v5'`);
}

function checkedStep(value: unknown, clients: readonly ScriptClient[], where: string): Step {
  if (!isFields(value)) throw new UsageError(`${where} is no step`);
  const client = typeof value.client === 'number' ? clients[value.client] : undefined;
  if (!client) throw new UsageError(`${where}: there is no client ${JSON.stringify(value.client)}`);
  const step = value as unknown as Step;
  switch (step.do) {
    case 'send':
      checkPacket(value, where);
      checkBytes(step, client.version, where);
      return step;
    case 'raw':
      if (typeof value.hex !== 'string' || !/^([0-9a-f]{2})*$/i.test(value.hex)) {
        throw new UsageError(`${where}: 'hex' has to be two digits for each byte`);
      }
      return step;
    case 'wait':
      if (!isCount(value.ms)) throw new UsageError(`${where}: 'ms' has to be a number of milliseconds`);
      return step;
    case 'acknowledge':
      if (value.rounds === undefined || isCount(value.rounds)) return step;
      throw new UsageError(`${where}: 'rounds' has to be a number`);
    case 'open':
    case 'fence':
    case 'pause':
    case 'resume':
    case 'drop':
    case 'close':
      return step;
    default:
      throw new UsageError(`${where}: ${JSON.stringify(value.do)} is nothing that a client does`);
  }
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function checkPacket({ packet, bend }: Fields, where: string): void {
  const types: readonly unknown[] = packetTypes;
  if (!isFields(packet) || packet.type === undefined || !types.includes(packet.type)) {
    throw new UsageError(`${where} needs a packet with a type of the standard`);
  }
  if (bend !== undefined && !isFields(bend)) throw new UsageError(`${where}: 'bend' has to name parts`);
}

/** A packet that lacks a field, or has one of another kind, can't be written: better said now than skipped when it is played. */
function checkBytes(step: Extract<Step, { do: 'send' }>, version: Version, where: string): void {
  try {
    bytesOf(step, version);
  } catch (error) {
    throw new UsageError(`${where}: this ${step.packet.type} can't be written: ${line(error)}`);
  }
}

function line(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}

// ── Lines ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A step of the connection with this number. */
type Numbered = readonly [connection: number, step: (client: number) => Step];

function fromLines(text: string, name: string): Script {
  const numbered = text.split(/\r?\n/).flatMap((each, at) => {
    const content = each.replace(/#.*$/, '').trim();
    return content === '' ? [] : [numberedStep(content, `${name}: line ${at + 1}`)];
  });
  if (numbered.length === 0) throw new UsageError(`${name} holds no bytes: ${forms}`);
  const connections = [...new Set(numbered.map(([connection]) => connection))].sort((one, other) => one - other);
  const steps = numbered.map(([connection, step]) => step(connections.indexOf(connection)));
  return { clients: connections.map((_, client) => ({ version: versionOf(steps, client) })), steps };
}

function numberedStep(content: string, where: string): Numbered {
  // With more than one colon they stand between the bytes.
  const [, number, rest] = /^(\d{1,4}):([^:]*)$/.exec(content) ?? [];
  const said = (rest ?? content).trim();
  const step = actionOf(said) ?? bytesStep(said, where);
  return [number === undefined ? 1 : Number(number), step];
}

/** What else a connection does, besides sending. */
function actionOf(said: string): Numbered[1] | undefined {
  const [, ms] = /^wait (\d{1,6})( ?ms)?$/i.exec(said) ?? [];
  if (ms !== undefined) return (client) => ({ client, do: 'wait', ms: Number(ms) });
  switch (said.toLowerCase()) {
    case 'drop':
      return (client) => ({ client, do: 'drop' });
    case 'close':
      return (client) => ({ client, do: 'close' });
    case 'fence':
      return (client) => ({ client, do: 'fence' });
    case 'pause':
      return (client) => ({ client, do: 'pause' });
    case 'resume':
      return (client) => ({ client, do: 'resume' });
    case 'acknowledge':
      return (client) => ({ client, do: 'acknowledge' });
    default:
      return undefined;
  }
}

function bytesStep(said: string, where: string): Numbered[1] {
  const hex = hexOf(/^printf\s+'([^']*)'/.exec(said)?.[1] ?? said);
  if (hex === undefined) {
    throw new UsageError(`${where}: ${JSON.stringify(shortened(said))} is not bytes in hex: ${forms}`);
  }
  return (client) => ({ client, do: 'raw', hex });
}

function shortened(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** `10 0c`, `100c`, `10:0c`, `0x10, 0x0c`, `\x10\x0c` and, in octal, `\020\014`. */
function hexOf(text: string): string | undefined {
  if (/^(\\[0-7]{3})+$/.test(text)) {
    const bytes = (text.match(/[0-7]{3}/g) ?? []).map((digits) => Number.parseInt(digits, 8));
    return bytes.every((byte) => byte < 256) ? Buffer.from(bytes).toString('hex') : undefined;
  }
  const digits = text.replace(/0x|\\x/gi, ' ').replace(/[\s,:;-]+/g, ' ');
  const words = digits.trim().split(' ');
  return words.every((word) => /^([0-9a-f]{2})+$/i.test(word)) ? words.join('').toLowerCase() : undefined;
}

/** As the first CONNECT of the connection says; 3.1.1 if there is none. */
function versionOf(steps: readonly Step[], client: number): Version {
  const hex = steps.map((step) => (step.do === 'raw' && step.client === client ? step.hex : '')).join('');
  return /^10(?:[89a-f].){0,3}[0-7].00044d51545405/.test(hex) ? 'v5' : 'v3';
}

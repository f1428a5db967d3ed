/** A script as the source of a conformance case: what somebody starts with who turns a finding into a test. */

import type { RequirementId } from '../../harness/spec/index.ts';
import type { Bend } from '../../harness/wire/bend.ts';
import { bytesFrom } from '../data.ts';
import { caseName } from '../record.ts';
import type { Bytes, PacketData, Script, Step } from '../script.ts';

/** What the case is about. */
export interface About {
  /** Of a-z, 0-9 and `-`. */
  readonly id: string;
  readonly title: string;
  readonly requirements: readonly RequirementId[];
  /** Every outcome that is right. */
  readonly expected: readonly string[];
}

/**
 * The text of a case: the steps as calls of peers, names of the case in the place of `caseName`. What is expected stands in a comment where
 * the judgement has to be written.
 */
export function caseSource(script: Script, about: About): string {
  const body = [
    ...statements(script),
    `// Expected: ${about.expected.join('; or ')}`,
    ...stillOpen(script.steps).map((client) => `await ${peer(client)}.fence();`),
  ];
  return [
    '{',
    `  id: ${quoted(about.id)},`,
    `  title: ${quoted(about.title)},`,
    `  covers: [${about.requirements.map(quoted).join(', ')}],`,
    '  async run(context) {',
    ...body.map((line) => `    ${line}`),
    '  },',
    '},',
  ].join('\n');
}

/** The body without the judgement, one statement a line. */
export function statements(script: Script): string[] {
  const { steps } = script;
  const openings = openingsOf(steps);
  const open = new Set<number>();
  return steps.flatMap((step, at) => {
    const opening = openings.get(at);
    const before = opening ? [openingSource(opening, [...openings.values()])] : [];
    if (opening) open.add(step.client);
    // What a client without a connection does has no effect.
    if (!open.has(step.client) && step.do !== 'wait') return [];
    if (step.do === 'drop' || step.do === 'close') open.delete(step.client);
    return [...before, ...statementOf(step)];
  });
}

/** The clients with a connection after the last step. */
function stillOpen(steps: readonly Step[]): number[] {
  const open = new Set<number>();
  for (const { client, do: what } of steps) {
    if (what === 'drop' || what === 'close') open.delete(client);
    else if (what === 'open' || what === 'send' || what === 'raw') open.add(client);
  }
  return [...open].sort((one, other) => one - other);
}

interface Opening {
  readonly client: number;
  /** Counts the connections of this client from 0. */
  readonly time: number;
}

/** The steps at which connections are opened, by their index. */
function openingsOf(steps: readonly Step[]): ReadonlyMap<number, Opening> {
  const openings = new Map<number, Opening>();
  const times = new Map<number, number>();
  const open = new Set<number>();
  for (const [at, { client, do: what }] of steps.entries()) {
    if (what === 'drop' || what === 'close') open.delete(client);
    if ((what !== 'open' && what !== 'send' && what !== 'raw') || open.has(client)) continue;
    const time = times.get(client) ?? 0;
    openings.set(at, { client, time });
    times.set(client, time + 1);
    open.add(client);
  }
  return openings;
}

function openingSource({ client, time }: Opening, all: readonly Opening[]): string {
  const again = all.some((other) => other.client === client && other.time > 0);
  const declaration = time > 0 ? '' : again ? 'let ' : 'const ';
  return `${declaration}${peer(client)} = await context.open('client ${client + 1}');`;
}

/** `a`, `b` … */
function peer(client: number): string {
  return client < 26 ? String.fromCharCode(97 + client) : `client${client + 1}`;
}

function statementOf(step: Step): string[] {
  const name = peer(step.client);
  switch (step.do) {
    case 'send':
      return [`${name}.send(${packetSource(step.packet)}${step.bend ? `, ${bendSource(step.bend)}` : ''});`];
    case 'raw':
      return [`${name}.sendBytes(${hexSource(step.hex)}, 'bytes');`];
    case 'fence':
      return [`await ${name}.fence();`];
    case 'acknowledge':
      return [
        `// Here ${name} answers what the broker has sent: ${name}.receive(), ${name}.expect('PUBREC') and pubrel …`,
      ];
    case 'pause':
      return [`// Here ${name} stops reading its socket.`];
    case 'resume':
      return [`// Here ${name} reads on.`];
    case 'wait':
      return [`await context.elapse(${step.ms});`];
    case 'drop':
      return [`${name}.drop();`];
    case 'close':
      return [`${name}.halfClose();`, `await ${name}.isClosed();`];
    case 'open':
      return [];
  }
}

/** A call of the builder of this packet. */
function packetSource(packet: PacketData): string {
  switch (packet.type) {
    case 'CONNECT': {
      const { type, protocolName, ...fields } = packet;
      return `connect(${source({ ...fields, ...(protocolName !== 'MQTT' && { protocolName }) })})`;
    }
    case 'PUBLISH':
    case 'CONNACK': {
      const { type, ...fields } = packet;
      return `${type.toLowerCase()}(${source(fields)})`;
    }
    case 'SUBSCRIBE':
    case 'UNSUBSCRIBE': {
      const { type, packetId, properties, filters } = packet;
      const request = properties ? { packetId, properties } : packetId;
      return `${type.toLowerCase()}(${[request, ...filters].map((each) => source(each)).join(', ')})`;
    }
    case 'SUBACK':
    case 'UNSUBACK': {
      const { type, packetId, codes, properties } = packet;
      return `${type.toLowerCase()}(${[packetId, codes, properties]
        .filter((each) => each !== undefined)
        .map((each) => source(each))
        .join(', ')})`;
    }
    case 'PINGREQ':
    case 'PINGRESP':
      return `${packet.type.toLowerCase()}()`;
    case 'DISCONNECT':
    case 'AUTH': {
      const { type, ...fields } = packet;
      return `${type.toLowerCase()}(${Object.keys(fields).length > 0 ? source(fields) : ''})`;
    }
    default: {
      const { type, packetId, ...fields } = packet;
      const rest = Object.keys(fields).length > 0 ? `, ${source(fields)}` : '';
      return `${type.toLowerCase()}(${packetId}${rest})`;
    }
  }
}

/** Fields that take text as well as bytes, and those that take bytes only. */
const contents: ReadonlySet<string> = new Set(['payload', 'password']);
const binaries: ReadonlySet<string> = new Set(['correlationData', 'authenticationData']);

/** A value of JSON as an expression; the name says what it is. */
function source(value: unknown, name = ''): string {
  if (binaries.has(name) && typeof value === 'string') return `utf8(${text(value)})`;
  if (contents.has(name) && isFilled(value)) return filledSource(value);
  if (contents.has(name) || binaries.has(name)) return typeof value === 'string' ? text(value) : hexOf(value as Bytes);
  if (name === 'clientId' && value === `${caseName}${String(value).slice(caseName.length)}`) {
    return `context.clientId(${quoted(String(value).slice(caseName.length))})`;
  }
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return `[${value.map((each) => source(each)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([key, each]) => `${keyOf(key)}: ${source(each, key)}`);
  return `{ ${fields.join(', ')} }`;
}

/** The names of parts say nothing about what is written there: `payload` may be changed by a list of numbers. */
function bendSource(bend: Bend): string {
  const changes = Object.entries(bend).map(([name, change]) => `${keyOf(name)}: ${source(change)}`);
  return `{ ${changes.join(', ')} }`;
}

type Filled = Extract<Bytes, { readonly text: string }>;

function filledSource({ text: begin, length }: Filled): string {
  return `Buffer.alloc(${length}, 0xff).fill(${text(begin)}, 0, ${Buffer.byteLength(begin)})`;
}

function isFilled(value: unknown): value is Filled {
  return typeof value === 'object' && value !== null && 'text' in value;
}

function keyOf(name: string): string {
  return /^[a-z]\w*$/i.test(name) ? name : quoted(name);
}

function hexOf(bytes: Bytes): string {
  return hexSource(Buffer.from(bytesFrom(bytes)).toString('hex'));
}

function hexSource(hex: string): string {
  return `fromHex('${hex.replace(/..(?=.)/g, '$& ')}')`;
}

/** A string as an expression, with the name of the case where the script has it. */
function text(value: string): string {
  if (!value.includes(caseName)) return quoted(value);
  const pieces = value.split(caseName).map((piece) => quoted(piece).slice(1, -1).replace(/[`$]/g, '\\$&'));
  return `\`${pieces.join(`\${context.token}`)}\``;
}

/** In single quotes, with escapes for what would end it or cannot be read. */
function quoted(value: string): string {
  const escaped = value
    .replace(/[\\']/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `'${escaped}'`;
}

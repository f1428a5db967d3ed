/** The broker under test: where it is, and what it needs to let a client in. */

import type { BrokerProcess } from './broker-process.ts';
import { UsageError } from './errors.ts';
import { type Transport, tcp } from './transport.ts';

export interface Credentials {
  readonly userName?: string;
  readonly password?: string;
}

export interface Target {
  /** What reports call it: the address, without credentials. */
  readonly name: string;
  /** The command-line options that name it again; empty for the reference broker. */
  readonly options: string;
  readonly transport: Transport;
  readonly credentials?: Credentials;
  /** What clients prove to know by the method of `wire/challenge.ts` (5.0). */
  readonly secret?: string;
  /** A topic that the target lets nobody publish or subscribe to. */
  readonly deniedTopic?: string;
  /** The broker, where this tool started it. */
  readonly process?: BrokerProcess;
}

const mqttPort = 1883;
const form = 'give host:port or mqtt://host:port, such as localhost:1883';

/**
 * A target from `host`, `host:port` or `mqtt://[user[:password]@]host[:port]`; credentials given apart win over those in the URL.
 * Throws UsageError when it is none of these.
 */
export function parseTarget(text: string, credentials: Credentials = {}): Target {
  const url = parseUrl(text);
  if (url.protocol !== 'mqtt:' && url.protocol !== 'tcp:') {
    throw new UsageError(`target ${hidden(text)}: ${url.protocol}// is not supported; ${form}`);
  }
  if (url.pathname.length > 1 || url.search || url.hash) {
    throw new UsageError(`target ${hidden(text)}: an MQTT address has no path; ${form}`);
  }
  const port = url.port === '' ? mqttPort : Number(url.port);
  if (port === 0) throw new UsageError(`target ${hidden(text)}: port 0 is no port to connect to`);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const userName = credentials.userName ?? decoded(url.username);
  const password = credentials.password ?? decoded(url.password);
  const name = `${url.hostname}:${port}`;
  return {
    name,
    options: `-t ${name}`,
    transport: tcp(host, port),
    ...((userName !== undefined || password !== undefined) && {
      credentials: {
        // MQTT 3.1.1 knows no password without a user name (3.1.2-22).
        userName: userName ?? '',
        ...(password !== undefined && { password }),
      },
    }),
  };
}

function parseUrl(text: string): URL {
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `mqtt://${text}`);
    if (url.hostname !== '') return url;
  } catch {
    // Said below.
  }
  throw new UsageError(`target ${hidden(text)}: not an address; ${form}`);
}

/** Part of a URL with its %-escapes resolved, as far as they are any. */
function decoded(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The target as it was given, without credentials. */
function hidden(text: string): string {
  return `'${text.replace(/\/\/[^@/]*@/, '//…@')}'`;
}

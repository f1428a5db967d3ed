import { describe, expect, it } from 'vitest';
import { UsageError } from './errors.ts';
import { parseTarget } from './target.ts';

describe('a target', () => {
  it.each([
    ['localhost', 'localhost:1883'],
    ['localhost:2000', 'localhost:2000'],
    ['mqtt://broker.example', 'broker.example:1883'],
    ['tcp://127.0.0.1:9', '127.0.0.1:9'],
    ['[::1]:1884', '[::1]:1884'],
  ])('%s is %s', (text, name) => {
    expect(parseTarget(text)).toMatchObject({ name, options: `-t ${name}` });
  });

  it('takes credentials from the URL, and shows them nowhere', () => {
    const target = parseTarget('mqtt://me:s%20cret@host');
    expect(target.credentials).toEqual({ userName: 'me', password: 's cret' });
    expect(`${target.name} ${target.options}`).not.toMatch(/me|cret/);
  });

  it('takes a % that escapes nothing as it is', () => {
    expect(parseTarget('mqtt://%zz@host').credentials).toEqual({ userName: '%zz' });
  });

  it('prefers credentials given apart', () => {
    expect(parseTarget('mqtt://me:secret@host', { userName: 'you' }).credentials).toEqual({
      userName: 'you',
      password: 'secret',
    });
  });

  it.each([
    '',
    ':1883',
    'http://localhost',
    'localhost:99999',
    'localhost:port',
    'mqtt://localhost/path',
    'localhost:0',
    'a b',
  ])("'%s' is none", (text) => {
    expect(() => parseTarget(text)).toThrow(UsageError);
  });

  it('does not repeat a password in its complaint', () => {
    let complaint = '';
    try {
      parseTarget('http://me:secret@host');
    } catch (error) {
      complaint = String(error);
    }
    expect(complaint).toContain('host');
    expect(complaint).not.toContain('secret');
  });
});

import { describe, expect, it } from 'vitest';
import { parseScript } from './foreign.ts';
import { regression } from './regression.ts';
import { bytesOf } from './written.ts';

const find = (name: string) => {
  const seed = regression.find((each) => each.name === name);
  if (!seed) throw new Error(name);
  return seed.script;
};

/** The bytes of each step, as far as it sends. */
const sent = (name: string) =>
  find(name).steps.flatMap((step) =>
    step.do === 'send' || step.do === 'raw'
      ? [Buffer.from(bytesOf(step, find(name).clients[step.client]?.version ?? 'v3')).toString('hex')]
      : [],
  );

describe('the regression corpus', () => {
  it('has names that are slugs, each once', () => {
    const names = regression.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
  });

  it.each(regression)('$name is plain JSON that can be replayed', ({ script, about }) => {
    expect(about).not.toBe('');
    expect(parseScript(JSON.stringify(script), 'x')).toEqual(script);
    for (const client of script.clients.keys()) expect(script.steps.some((step) => step.client === client)).toBe(true);
  });

  it('has the bytes that the public bugs were about', () => {
    expect(sent('publish-without-topic-and-alias')).toContainEqual(expect.stringMatching(/^30..000000/));
    expect(sent('publish-to-dollar')).toContainEqual(expect.stringContaining(Buffer.from('$foo/bar').toString('hex')));
    expect(sent('subscribe-to-many-levels')).toContainEqual(expect.stringContaining(`ff78${'2f'.repeat(65_400)}`));
    expect(sent('will-with-content-type-first')).toContainEqual(
      expect.stringMatching(/434153453030611203000a746578742f/),
    );
    expect(sent('connack-from-client')).toContain('29020001');
    expect(sent('connect-of-256-megabytes').filter((hex) => hex.startsWith('10ffffff7f'))).toHaveLength(30);
    expect(sent('publish-of-256-megabytes-first').filter((hex) => hex.startsWith('30ffffff7f'))).toHaveLength(30);
    expect(sent('topic-that-is-no-text')).toContainEqual(expect.stringMatching(/61ffc0af/));
    expect(sent('disconnect-with-properties-missing')).toContain('e0020020');
    expect(sent('subscribe-without-options')).toContainEqual(expect.stringMatching(/^82.*2f23$/));
    expect(sent('connect-flags-1f')).toContainEqual(expect.stringMatching(/^10..00044d515454041f/));
    expect(sent('remaining-length-of-five-bytes')).toContainEqual(expect.stringMatching(/^3080808080003010000c/));
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunEvent } from '../events.ts';
import { exampleCase, exampleResult, exampleRun } from '../report/example-run.fixture.ts';
import { readEvents } from '../report/json.ts';
import { follow } from './follow.ts';
import { openReports, runReports } from './report-files.ts';
import { temporaryFolder } from './temporary.fixture.ts';

const info = exampleCase('only');
const events = exampleRun([[info, exampleResult(info, 'fail')]], { exitCode: 1 });

async function followed(run: AsyncIterable<RunEvent>, env: Record<string, string> = {}) {
  const cwd = await temporaryFolder();
  const [out, err] = [[] as string[], [] as string[]];
  const files = openReports(runReports, ['junit', 'json', 'ndjson'], 'out', cwd);
  const code = await follow(
    run,
    { color: true, verbosity: 0, files },
    {
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      env,
      cwd,
    },
  );
  const read = (name: string) => readFile(join(cwd, 'out', name), 'utf8');
  return {
    code,
    out: out.join(''),
    err: err.join(''),
    junit: await read('junit.xml'),
    log: readEvents(await read('events.ndjson'), 'log'),
    read,
  };
}

async function* told(list: readonly RunEvent[], error?: Error): AsyncGenerator<RunEvent> {
  yield* list;
  if (error) throw error;
}

it('writes every report and ends with the exit code of the run', async () => {
  const { code, out, err, junit, log, read } = await followed(told(events));
  expect([code, err]).toEqual([1, '']);
  expect(out).toContain('reports         out/junit.xml');
  expect(log).toEqual(events);
  expect(junit).toContain('failures="1"');
  expect(JSON.parse(await read('report.json')).end.exitCode).toBe(1);
});

it('ends with 70, a stack and all reports when the tool itself fails', async () => {
  const { code, out, err, junit, log } = await followed(told(events.slice(0, 2), new TypeError('our mistake')));
  expect(code).toBe(70);
  expect(err).toMatch(/TypeError: our mistake\n\s+at /);
  expect(out.split('\n').at(-2)).toBe('no verdict: TypeError: our mistake');
  expect(junit).toContain('<error message="no verdict: TypeError: our mistake"');
  expect(log.at(-1)).toMatchObject({ type: 'run-finished', exitCode: 70 });
});

it('does not take the end of a run for granted', async () => {
  expect((await followed(told(events.slice(0, -1)))).code).toBe(70);
});

it('speaks to GitHub Actions', async () => {
  const summary = join(await temporaryFolder(), 'summary.md');
  const { out } = await followed(told(events), { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary });
  expect(out).toContain('::group::✖ v3/3.8.1/only');
  expect(out).toContain('::error title=failed%3A v3/3.8.1/only::SUBACK 0x00');
  expect(await readFile(summary, 'utf8')).toContain('### ❌ not conformant: 1 failed');
});

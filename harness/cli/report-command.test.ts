import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleCase, exampleResult, exampleRun } from '../report/example-run.fixture.ts';
import { json, ndjson } from '../report/json.ts';
import { type ReportArguments, reportCommand } from './report-command.ts';
import { temporaryFolder } from './temporary.fixture.ts';

const info = exampleCase('fails');
const events = exampleRun([[info, exampleResult(info, 'fail')]], { exitCode: 1 });
const names = ['a-1.0', 'b-2.0'];

async function report(files: readonly string[], given: Partial<ReportArguments>) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'a.json'), json(events));
  await writeFile(join(cwd, 'b.ndjson'), events.slice(0, -1).map(ndjson).join(''));
  const out: string[] = [];
  const stream = { write: (text: string) => out.push(text) };
  await reportCommand(files, { verbose: 0, color: false, ...given }, { stdout: stream, stderr: stream, env: {}, cwd });
  return out.join('');
}

describe('report', () => {
  it('prints several recordings side by side, by name, also one that is cut off', async () => {
    const text = await report(['a.json', 'b.ndjson'], { report: ['md'], name: names });
    expect(text).toContain('| cases | a-1.0 | b-2.0 |');
    expect(text).toContain('## a-1.0\n\n**not conformant: 1 failed**');
    expect(text).toContain('## b-2.0\n\n**no verdict: the record is cut off (so far 1 failed)**');
  });

  it('prints one recording as Markdown: verdict, totals, failures explained', async () => {
    const text = await report(['a.json'], { report: ['md'] });
    expect(text).toContain('# localhost:1883');
    expect(text).toContain('| MUST: passed of applicable | 0 of 1 |');
    expect(text).toContain('reproduce npx mqtt-conform -t localhost:1883 v3/3.8.1/fails');
  });

  it('prints one recording as the run did', async () => {
    expect(await report(['a.json'], {})).toMatch(/not conformant: 1 failed\n$/);
  });

  it.each([
    [['a.json', 'b.ndjson'], {}, 'several reports are put side by side by -r md'],
    [['a.json', 'b.ndjson'], { report: ['junit'], out: 'x' }, 'several reports are put side by side by -r md'],
    [['a.json'], { report: ['md', 'junit'] }, '-r md is printed: add --out for files'],
    [['a.json'], { report: ['md'], name: names }, '--name: 2 names for 1 report'],
    [['a.json'], { out: 'x' }, '--out: no report is asked for'],
    [['a.json', 'missing.json'], { report: ['md'] }, 'cannot read missing.json'],
  ] satisfies [string[], Partial<ReportArguments>, string][])(
    '%j %j is a usage error',
    async (files, given, message) => {
      await expect(report(files, given)).rejects.toThrow(message);
    },
  );
});

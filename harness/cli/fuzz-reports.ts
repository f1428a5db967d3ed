/** The reports of a fuzz run. */

import type { FuzzEvent } from '../../fuzz/events.ts';
import type { ReportSet } from './report-files.ts';

export const fuzzReports: ReportSet<FuzzEvent> = {
  fileNames: {
    junit: 'fuzz-junit.xml',
    json: 'fuzz-report.json',
    ndjson: 'fuzz-events.ndjson',
    md: 'fuzz-report.md',
  },
  isLogged: ({ type }) => type !== 'fuzz-progress',
  async render(kind, events) {
    if (kind === 'junit') return (await import('../../fuzz/report/junit.ts')).fuzzJunit(events);
    const { fuzzJson, fuzzMarkdown } = await import('../../fuzz/report/files.ts');
    return kind === 'json' ? fuzzJson(events) : fuzzMarkdown(events);
  },
};

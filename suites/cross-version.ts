/** Clients of both versions (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const crossVersion = chapter('Clients of both versions');

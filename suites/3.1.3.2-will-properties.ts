/** 3.1.3.2 Will Properties (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const willProperties = chapter('3.1.3.2 Will Properties');

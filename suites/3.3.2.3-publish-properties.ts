/** 3.3.2.3 PUBLISH Properties (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const publishProperties = chapter('3.3.2.3 PUBLISH Properties');

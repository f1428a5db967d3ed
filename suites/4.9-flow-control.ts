/** 4.9 Flow Control (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const flowControl = chapter('4.9 Flow Control');

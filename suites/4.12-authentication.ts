/** 4.12 Enhanced authentication (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const authentication = chapter('4.12 Enhanced authentication');

/** 3.2.2.3 CONNACK Properties (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const connackProperties = chapter('3.2.2.3 CONNACK Properties');

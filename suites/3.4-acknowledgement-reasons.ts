/** 3.4 PUBACK and its like: Reason Codes and properties (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const acknowledgementReasons = chapter('3.4 PUBACK and its like: Reason Codes and properties');

/** 4.13 Handling errors: Reason Codes (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const errorReasons = chapter('4.13 Handling errors: Reason Codes');

/** 3.1.2.11 CONNECT Properties (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const connectProperties = chapter('3.1.2.11 CONNECT Properties');

/** 3.8.3.1 Subscription Options (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const subscriptionOptions = chapter('3.8.3.1 Subscription Options');

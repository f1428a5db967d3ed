/** 4.8.2 Shared Subscriptions (MQTT 5.0). */

import { chapter } from '../harness/case.ts';

export const sharedSubscriptions = chapter('4.8.2 Shared Subscriptions');

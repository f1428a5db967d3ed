/** User names and passwords where it is not known whether the broker looks at them. */

import type { Context } from '../harness/case.ts';

/** A user and a password that nobody has. A broker that lets them in looks at neither. */
export const anybody = { userName: 'mqtt-conform', password: 'no secret' } as const;

/** Whether a CONNECT with these credentials is let in; undefined when it is not answered at all. */
export async function letsIn(
  { open, connectPacket, clientId }: Context,
  credentials: { readonly userName?: string | undefined; readonly password?: string | Uint8Array | undefined },
): Promise<boolean | undefined> {
  const client = await open('with credentials');
  client.send(connectPacket({ ...credentials, clientId: clientId('with credentials') }));
  const answer = await client.next();
  if (!answer) return (await client.isClosed(0)) ? false : undefined;
  client.leave();
  return answer.type === 'CONNACK' && answer.code === 0;
}

/** Ends the case as not applicable if the broker does not let in whoever comes. */
export async function requireOpenDoor(context: Context): Promise<void> {
  if ((await letsIn(context, anybody)) === false) context.notApplicable('the broker checks user names and passwords');
}

/** The target's user name and password, or anybody's if the target lets anybody in. */
export async function fullCredentials(context: Context): Promise<{ userName: string; password: string | Uint8Array }> {
  const { userName, password = anybody.password } = context.connectPacket();
  if (userName === undefined) await requireOpenDoor(context);
  return { userName: userName ?? anybody.userName, password };
}

// Starts the npm broker aedes with its defaults: node aedes.mjs PORT
import { createServer } from 'node:net';
import { Aedes } from 'aedes';

const broker = await Aedes.createBroker();
broker.on('clientError', () => {});
broker.on('connectionError', () => {});
createServer(broker.handle).listen(Number(process.argv[2]), '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => process.exit(0));

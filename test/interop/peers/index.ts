export { freePort } from './free-port.ts';
export { KafkaBroker } from './kafka.ts';
export { LeshanDevice, type LeshanOptions } from './leshan.ts';
export { coapClient, type CoapAnswer, type CoapRequest } from './libcoap.ts';
export { PostgresCluster } from './postgres.ts';
export { PeerProcess } from './process.ts';
export { program } from './program.ts';
export { requirePeer, type PeerName } from './require-peer.ts';

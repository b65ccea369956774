export { Crowd } from './crowd.ts';
export { networkOf } from './network.ts';
export { addressWithPort, networkText, plainAddress, uriHost } from './text.ts';

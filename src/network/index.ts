export { Crowd } from './crowd.ts';
export { networkOf } from './network.ts';

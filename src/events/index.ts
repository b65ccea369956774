export { createEventBus, type EventBus, type EventBusSnapshot } from './event-bus.ts';
export type { Event, Subscription } from './subscription.ts';

export { codeClass, codeName, codes, formatCode, isSuccess } from './code.ts';
export { createCoapEndpoint, type CoapEndpointOptions } from './engine.ts';
export type {
  CoapEndpoint,
  Code,
  IncomingRequest,
  IncomingResponse,
  Method,
  IncomingNotification,
  NotificationHandler,
  Observation,
  ObserveResult,
  OutgoingRequest,
  OutgoingResponse,
  RequestHandler,
} from './endpoint.ts';
export { CoapError, type CoapErrorCode } from './error.ts';
export { defaultLimits, type CoapLimits } from './limits.ts';
export type { CoapMetrics, DropReason } from './metrics.ts';
export { TcpTransport, type TcpBinding, type TcpMetrics, type TlsSettings } from './tcp/transport.ts';
export { transmissionParameters, type TransmissionParameters, type TransmissionSettings } from './parameters.ts';
export type { Peer, SecurityIdentity, Transport } from './transport.ts';
export { udpPeer, UdpTransport, type UdpBinding } from './udp.ts';

/** Why a case with a procedure can't be played here, by its number. What is neither here nor played is a gap. */
export const unplayed: Readonly<Record<number, string>> = {
  3: 'needs a smartcard; no open client has one',
  10: 'EST: the bootstrap server is no EST server',
  11: 'OSCORE is not served',
  19: 'MQTT is not served',
  405: 'OSCORE is not served',
  406: 'PSK over TLS is not served: Node asks for the key of an identity synchronously',
  1200: 'no client here has a cellular modem',
  1201: 'no client here has a cellular modem',
  1202: 'no client here has a cellular modem',
  1203: 'no client here has a cellular modem',
  1204: 'no client here has a cellular modem',
  1250: 'no client here has a cellular modem',
  1350: 'no client here has two bearers',
};

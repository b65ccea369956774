import { expect, it } from 'vitest';

import { FlightSender } from '../../src/dtls/flight-sender.ts';
import { encodeMessage, HANDSHAKE } from '../../src/dtls/messages.ts';
import { CONTENT, MAX_SEQUENCE, parseRecords } from '../../src/dtls/record.ts';
import { ManualClock } from '../manual-clock.ts';

it('a flight ends at the last record sequence number, and neither a retransmission nor an alert throws', async () => {
  const clock = new ManualClock();
  const sent: Buffer[] = [];
  const sender = new FlightSender(clock, MAX_SEQUENCE, (datagram) => sent.push(datagram));
  const message = encodeMessage(HANDSHAKE.serverHelloDone, 1, Buffer.alloc(0));
  sender.send([{ kind: 'handshake', message }, { kind: 'changeCipherSpec' }], 'answered');
  await clock.advance(70_000);
  sender.resend();
  sender.sendPlain(CONTENT.alert, Buffer.from([2, 80]));
  expect(sent.flatMap(parseRecords).map(({ sequence }) => sequence)).toEqual([MAX_SEQUENCE]);
});

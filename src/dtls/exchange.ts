import { timingSafeEqual } from 'node:crypto';

import { Channel } from './channel.ts';
import { DtlsError } from './error.ts';
import type { Flight, FlightPart } from './flight.ts';
import type { Hello } from './hello-gate.ts';
import { EphemeralKey } from './key-exchange.ts';
import { extendedMasterSecret, keyBlock, masterSecret, pskPremasterSecret, verifyData } from './key-schedule.ts';
import {
  CERTIFICATE_REQUEST,
  encodeCertificateChain,
  encodeFragment,
  encodeRawPublicKey,
  encodeServerHello,
  HANDSHAKE,
  type HandshakeFragment,
  parseEcdheKeyExchange,
} from './messages.ts';
import { type Negotiated, serverExtensions } from './negotiation.ts';
import { protectionOf } from './protection.ts';
import type { Random } from './random.ts';
import { VERSION_DTLS12 } from './record.ts';
import { NOTHING_SEEN } from './replay.ts';
import type { ServerIdentity } from './server-identity.ts';
import { Transcript } from './transcript.ts';
import { lasting } from './wire.ts';

const NOTHING = Buffer.alloc(0);

/** The keys that came of an exchange. */
export interface Secured {
  readonly master: Buffer;
  readonly channel: Channel;
}

/** What the two sides say in one handshake, and the keys that come of it. In what order, `Handshake` knows. */
export class Exchange {
  readonly negotiated: Negotiated;
  readonly #hello: Hello;
  readonly #cid: Buffer;
  readonly #random: Random;
  readonly #serverRandom: Buffer;
  readonly #transcript: Transcript;
  #sessionId: Buffer = NOTHING;
  #ephemeral: EphemeralKey | null = null;
  #secured: Secured | null = null;

  constructor(hello: Hello, negotiated: Negotiated, cid: Buffer, random: Random) {
    this.negotiated = negotiated;
    this.#hello = hello;
    this.#cid = cid;
    this.#random = random;
    this.#serverRandom = random(32);
    this.#transcript = new Transcript(hello.message, hello.messageSequence);
  }

  /** Null until there are keys. */
  get secured(): Secured | null {
    return this.#secured;
  }

  /** What the ServerHello gave; empty when the session can't be resumed. */
  get sessionId(): Buffer {
    return this.#sessionId;
  }

  /** Everything said so far, as a CertificateVerify signs it. */
  get said(): Buffer {
    return this.#transcript.said;
  }

  /** A message of the client, with its header. */
  addReceived(message: Buffer): void {
    this.#transcript.addReceived(message);
  }

  /** ServerHello up to ServerHelloDone. */
  offer(identity: ServerIdentity | null): Flight {
    const { extendedMasterSecret: extended, suite } = this.negotiated;
    if (extended) this.#sessionId = this.#random(32);
    const hello = this.#serverHello();
    const credentials = suite.keyExchange === 'ECDHE_ECDSA' ? this.#serverCredentials(identity) : [];
    return [hello, ...credentials, this.#say(HANDSHAKE.serverHelloDone, NOTHING)];
  }

  /** RFC 5246 §7.3, figure 2: ServerHello up to our Finished, which comes first here. */
  resume(sessionId: Buffer, master: Buffer): Flight {
    this.#sessionId = sessionId;
    const hello = this.#serverHello();
    return [hello, ...this.finish(this.#secure(master))];
  }

  /** Throws `illegal_parameter` when the client's ephemeral key is none. */
  deriveFromPoint(clientKeyExchange: Buffer): void {
    if (this.#ephemeral === null) throw new DtlsError('internal_error', 'the server sent no ephemeral key');
    this.#derive(this.#ephemeral.premasterSecret(parseEcdheKeyExchange(clientKeyExchange)));
  }

  deriveFromPsk(key: Buffer): void {
    this.#derive(pskPremasterSecret(key));
  }

  /** Our ChangeCipherSpec and Finished. */
  finish({ master }: Secured): Flight {
    const body = verifyData(master, 'server', this.#transcript.hash);
    const message = this.#transcript.add(HANDSHAKE.finished, body);
    return [{ kind: 'changeCipherSpec' }, { kind: 'finished', message }];
  }

  /** Takes the client's Finished; throws `decrypt_error` when it has heard or said something else than we have. */
  takeFinished(fragment: HandshakeFragment, { master }: Secured): void {
    const expected = verifyData(master, 'client', this.#transcript.hash);
    if (fragment.body.length !== expected.length || !timingSafeEqual(fragment.body, expected)) {
      throw new DtlsError('decrypt_error', "the device's Finished does not match the handshake messages");
    }
    this.#transcript.addReceived(encodeFragment(fragment));
  }

  #serverHello(): FlightPart {
    const body = encodeServerHello({
      version: VERSION_DTLS12,
      random: this.#serverRandom,
      sessionId: this.#sessionId,
      suite: this.negotiated.suite.id,
      extensions: serverExtensions(this.#hello.hello, this.negotiated, this.#cid),
    });
    return this.#say(HANDSHAKE.serverHello, body);
  }

  #say(type: number, body: Buffer): FlightPart {
    return { kind: 'handshake', message: this.#transcript.add(type, body) };
  }

  /** Certificate, ServerKeyExchange and CertificateRequest: devices must have a key of their own. */
  #serverCredentials(identity: ServerIdentity | null): Flight {
    if (identity === null) throw new DtlsError('internal_error', 'the server has no certificate');
    this.#ephemeral = new EphemeralKey();
    const certificate =
      this.negotiated.serverCertificateType === 'RawPublicKey'
        ? encodeRawPublicKey(identity.spki)
        : encodeCertificateChain(identity.chain);
    const keyExchange = this.#ephemeral.serverKeyExchange(identity, this.#hello.hello.random, this.#serverRandom);
    return [
      this.#say(HANDSHAKE.certificate, certificate),
      this.#say(HANDSHAKE.serverKeyExchange, keyExchange),
      this.#say(HANDSHAKE.certificateRequest, CERTIFICATE_REQUEST),
    ];
  }

  /** RFC 7627 §3: with extended master secret the keys hang on everything up to the ClientKeyExchange. */
  #derive(premaster: Buffer): void {
    this.#secure(
      this.negotiated.extendedMasterSecret
        ? extendedMasterSecret(premaster, this.#transcript.hash)
        : masterSecret(premaster, this.#hello.hello.random, this.#serverRandom),
    );
  }

  #secure(master: Buffer): Secured {
    const { suite, encryptThenMac, clientCid } = this.negotiated;
    const protection = protectionOf(suite, encryptThenMac);
    const keys = keyBlock(master, this.#hello.hello.random, this.#serverRandom, protection.keyLengths);
    const channel = new Channel(protection, {
      readKeys: keys.client,
      writeKeys: keys.server,
      nextSequence: 0,
      replay: NOTHING_SEEN,
      readCid: clientCid === null ? null : this.#cid,
      writeCid: clientCid && lasting(clientCid),
    });
    this.#secured = { master, channel };
    return this.#secured;
  }
}

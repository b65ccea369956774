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

/** The keys of an exchange. */
export interface Secured {
  readonly master: Buffer;
  readonly channel: Channel;
}

/**
 * Builds the server's messages of one handshake, keeps the transcript and derives the keys. `Handshake` decides the
 * order.
 */
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

  /** Null until the keys are derived. */
  get secured(): Secured | null {
    return this.#secured;
  }

  /** The session id of the ServerHello; empty when the session can't be resumed. */
  get sessionId(): Buffer {
    return this.#sessionId;
  }

  /** All handshake messages so far; CertificateVerify signs them. */
  get said(): Buffer {
    return this.#transcript.said;
  }

  /** `message`: a message of the client with its header. */
  addReceived(message: Buffer): void {
    this.#transcript.addReceived(message);
  }

  /** The flight from ServerHello to ServerHelloDone. */
  offer(identity: ServerIdentity | null): Flight {
    const { extendedMasterSecret: extended, suite } = this.negotiated;
    if (extended) this.#sessionId = this.#random(32);
    const hello = this.#serverHello();
    const credentials = suite.keyExchange === 'ECDHE_ECDSA' ? this.#serverCredentials(identity) : [];
    return [hello, ...credentials, this.#serverMessage(HANDSHAKE.serverHelloDone, NOTHING)];
  }

  /**
   * The flight from ServerHello to Finished. In a resumption the server sends its Finished first (RFC 5246 §7.3, figure
   * 2).
   */
  resume(sessionId: Buffer, master: Buffer): Flight {
    this.#sessionId = sessionId;
    const hello = this.#serverHello();
    return [hello, ...this.finish(this.#secure(master))];
  }

  /** Throws `illegal_parameter` when the client's ephemeral key is not a point on the curve. */
  deriveFromPoint(clientKeyExchange: Buffer): void {
    if (this.#ephemeral === null) throw new DtlsError('internal_error', 'the server sent no ephemeral key');
    this.#derive(this.#ephemeral.premasterSecret(parseEcdheKeyExchange(clientKeyExchange)));
  }

  deriveFromPsk(key: Buffer): void {
    this.#derive(pskPremasterSecret(key));
  }

  /** The server's ChangeCipherSpec and Finished. */
  finish({ master }: Secured): Flight {
    const body = verifyData(master, 'server', this.#transcript.hash);
    const message = this.#transcript.add(HANDSHAKE.finished, body);
    return [{ kind: 'changeCipherSpec' }, { kind: 'finished', message }];
  }

  /** Verifies the client's Finished. Throws `decrypt_error` when the client's transcript differs from the server's. */
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
    return this.#serverMessage(HANDSHAKE.serverHello, body);
  }

  #serverMessage(type: number, body: Buffer): FlightPart {
    return { kind: 'handshake', message: this.#transcript.add(type, body) };
  }

  /**
   * Certificate, ServerKeyExchange and CertificateRequest. The request is there because every device must authenticate
   * itself.
   */
  #serverCredentials(identity: ServerIdentity | null): Flight {
    if (identity === null) throw new DtlsError('internal_error', 'the server has no certificate');
    this.#ephemeral = new EphemeralKey();
    const certificate =
      this.negotiated.serverCertificateType === 'RawPublicKey'
        ? encodeRawPublicKey(identity.spki)
        : encodeCertificateChain(identity.chain);
    const keyExchange = this.#ephemeral.serverKeyExchange(identity, this.#hello.hello.random, this.#serverRandom);
    return [
      this.#serverMessage(HANDSHAKE.certificate, certificate),
      this.#serverMessage(HANDSHAKE.serverKeyExchange, keyExchange),
      this.#serverMessage(HANDSHAKE.certificateRequest, CERTIFICATE_REQUEST),
    ];
  }

  /** RFC 7627 §3: the extended master secret depends on all messages up to the ClientKeyExchange. */
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

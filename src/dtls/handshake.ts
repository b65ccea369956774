import { timingSafeEqual } from 'node:crypto';

import type { Clock, Timer } from '../clock.ts';
import type { Address } from './address.ts';
import { type Alert, type AlertDescription, decodeAlert, encodeAlert } from './alert.ts';
import { Channel, type OpenedRecord, type OpenFailure } from './channel.ts';
import { type ClientKey, parseClientKey, verifyPossession } from './client-key.ts';
import type { Proof, PskCredential, SecurityIdentity } from './credentials.ts';
import { DtlsError } from './error.ts';
import type { FlightPart } from './flight.ts';
import { FlightSender } from './flight-sender.ts';
import { EphemeralKey } from './key-exchange.ts';
import { extendedMasterSecret, keyBlock, masterSecret, pskPremasterSecret, verifyData } from './key-schedule.ts';
import { keyDigest, type LookUps } from './look-ups.ts';
import * as messages from './messages.ts';
import { HANDSHAKE } from './messages.ts';
import { type Negotiated, serverExtensions } from './negotiation.ts';
import { protectionOf } from './protection.ts';
import type { Random } from './random.ts';
import { Reassembly, type HandshakeMessage } from './reassembly.ts';
import { CONTENT, type DtlsRecord, VERSION_DTLS12 } from './record.ts';
import type { Resumable, Resumables } from './resumption.ts';
import type { DtlsSettings } from './settings.ts';

/** RFC 4279 §5.3 asks for identities of up to 128 bytes; a longer one is unknown without asking. */
const MAX_IDENTITY = 128;
/** Protected records that came before their keys: RFC 6347 §4.1 lets them wait. */
const MAX_EARLY_RECORDS = 8;

export interface HandshakeContext {
  readonly settings: DtlsSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly lookUps: LookUps;
  readonly resumables: Resumables;
  transmit(to: Address, datagram: Buffer): void;
  established(handshake: Handshake, established: Established): void;
  failed(handshake: Handshake, failure: HandshakeFailure): void;
}

/** The second ClientHello, whose cookie was good. */
export interface Opening {
  readonly from: Address;
  /** With its header, in a buffer of its own. */
  readonly message: Buffer;
  /** A view of `message`. */
  readonly hello: messages.ClientHello;
  readonly messageSequence: number;
  readonly recordSequence: number;
}

export interface Established {
  readonly channel: Channel;
  readonly identity: SecurityIdentity;
  readonly proof: Proof;
  /** Sends the final flight again; null when the peer's flight was the last one. */
  readonly finalFlight: FlightSender | null;
  /** What the next handshake may resume; null without extended master secret (RFC 7627 §5.3). */
  readonly resumable: Omit<Resumable, 'sessionKey'> | null;
  /** The session that this one goes on from. */
  readonly resumed: Resumable | null;
}

export interface HandshakeFailure {
  /** What the device was told; null when it was told nothing. */
  readonly alert: AlertDescription | null;
  /** In words, without secrets. */
  readonly reason: string;
}

/** Who the device says it is, before it is proved. */
export type Claim = Pick<SecurityIdentity, 'kind' | 'name'>;

/** One handshake from the second ClientHello to the client's Finished: RFC 6347 §4.2, server side. */
export class Handshake {
  readonly address: Address;
  readonly clientRandom: Buffer;
  readonly negotiated: Negotiated;
  /** Our Connection ID in the session to be, and its name even if the client doesn't use one. */
  readonly cid: Buffer;
  readonly startedAt: number;

  readonly #context: HandshakeContext;
  readonly #hello: messages.ClientHello;
  readonly #serverRandom: Buffer;
  readonly #sender: FlightSender;
  readonly #reassembly: Reassembly;
  readonly #transcript: Buffer[];
  readonly #deadline: Timer;
  #nextSequence: number;
  #sessionId: Buffer = Buffer.alloc(0);
  #expected: number = HANDSHAKE.clientKeyExchange;
  #lookingUp = false;
  #ended = false;
  #early: DtlsRecord[] = [];
  #ephemeral: EphemeralKey | null = null;
  #clientKey: ClientKey | null = null;
  #claim: Claim | null = null;
  #authenticated: { readonly credential: string; readonly proof: Proof } | null = null;
  #secured: { readonly master: Buffer; readonly channel: Channel } | null = null;
  #resumed: Resumable | null = null;
  #unreadable = false;

  constructor(context: HandshakeContext, opening: Opening, negotiated: Negotiated, cid: Buffer) {
    this.#context = context;
    this.address = opening.from;
    this.negotiated = negotiated;
    this.cid = cid;
    this.startedAt = context.clock.now();
    this.clientRandom = opening.hello.random;
    this.#hello = opening.hello;
    this.#transcript = [opening.message];
    this.#serverRandom = context.random(32);
    this.#nextSequence = opening.messageSequence;
    this.#reassembly = new Reassembly(opening.messageSequence + 1);
    this.#sender = new FlightSender(context.clock, opening.recordSequence, (datagram) =>
      context.transmit(opening.from, datagram),
    );
    this.#deadline = context.clock.after(context.settings.limits.handshakeDeadlineMs, () =>
      this.abandon(this.#silence()),
    );
  }

  get claim(): Claim | null {
    return this.#claim;
  }

  get credential(): string | null {
    return this.#authenticated?.credential ?? null;
  }

  get isResumption(): boolean {
    return this.#resumed !== null;
  }

  start(): void {
    this.#run(() => {
      const resumable = this.#findResumable();
      if (resumable === null) return this.#offer();
      const { proof, identity } = resumable;
      this.#whenAnswered(this.#context.lookUps.stillHolds(proof, identity.credential), (holds) => {
        if (holds) this.#resume(resumable);
        else this.#offer();
      });
    });
  }

  /** The client sent its second ClientHello again: it has not seen our answer. */
  helloRepeated(): void {
    this.#sender.resend();
  }

  /** A fragment of an unprotected message other than ClientHello. */
  receive(fragment: messages.HandshakeFragment): void {
    // A Finished counts only under the new keys.
    if (this.#ended || fragment.type === HANDSHAKE.finished) return;
    this.#run(() => this.#reassembly.add(fragment));
    this.#takeMessages();
  }

  /** Null when the record was taken, now or for later. */
  receiveProtected(record: DtlsRecord): OpenFailure | null {
    if (this.#ended) return null;
    if (this.#secured === null || this.#lookingUp || this.#expected !== HANDSHAKE.finished) {
      if (this.#early.length < MAX_EARLY_RECORDS) this.#early.push(copied(record));
      return null;
    }
    const opened = this.#secured.channel.open(record);
    if (typeof opened === 'string') {
      this.#unreadable ||= opened === 'forged';
      return opened;
    }
    this.#run(() => this.#takeProtected(opened));
    return null;
  }

  /** RFC 5246 §7.2: a fatal alert ends the handshake, whoever sent it; nobody is proved yet. */
  receiveAlert(alert: Alert): void {
    if (alert.level === 'fatal' || alert.description === 'close_notify') {
      this.abandon(`the device ended the handshake: ${alert.description}`);
    }
  }

  /** Ends it without a word to the device. */
  abandon(reason: string): void {
    this.#fail({ alert: null, reason });
  }

  /** Why the handshake stands still. */
  whyUnfinished(): string {
    return this.#silence();
  }

  #findResumable(): Resumable | null {
    const { extendedMasterSecret: extended, suite } = this.negotiated;
    if (!extended || this.#hello.sessionId.length === 0) return null;
    const found = this.#context.resumables.find(this.#hello.sessionId);
    return found?.suite.id === suite.id ? found : null;
  }

  /** ServerHello up to ServerHelloDone. */
  #offer(): void {
    const { extendedMasterSecret: extended, suite } = this.negotiated;
    if (extended) this.#sessionId = this.#context.random(32);
    const flight = [this.#serverHello()];
    const { identity } = this.#context.settings;
    if (suite.keyExchange === 'ECDHE_ECDSA') {
      if (identity === null) throw new DtlsError('internal_error', 'the server has no certificate');
      this.#ephemeral = new EphemeralKey();
      const certificate =
        this.negotiated.serverCertificateType === 'RawPublicKey'
          ? messages.encodeRawPublicKey(identity.spki)
          : messages.encodeCertificateChain(identity.chain);
      const keyExchange = this.#ephemeral.serverKeyExchange(identity, this.clientRandom, this.#serverRandom);
      flight.push(
        this.#message(HANDSHAKE.certificate, certificate),
        this.#message(HANDSHAKE.serverKeyExchange, keyExchange),
        this.#message(HANDSHAKE.certificateRequest, messages.encodeCertificateRequest()),
      );
      this.#expected = HANDSHAKE.certificate;
    }
    flight.push(this.#message(HANDSHAKE.serverHelloDone, Buffer.alloc(0)));
    this.#sender.send(flight, 'answered');
  }

  /** RFC 5246 §7.3, figure 2: our Finished comes first. */
  #resume(resumable: Resumable): void {
    this.#resumed = resumable;
    this.#sessionId = resumable.sessionId;
    this.#claim = resumable.identity;
    this.#authenticated = { credential: resumable.identity.credential, proof: resumable.proof };
    const hello = this.#serverHello();
    const { channel } = this.#secure(resumable.master);
    this.#sender.protect(channel);
    this.#expected = HANDSHAKE.finished;
    this.#sender.send([hello, { kind: 'changeCipherSpec' }, this.#finished(resumable.master)], 'answered');
  }

  #takeMessages(): void {
    while (!this.#ended && !this.#lookingUp) {
      const message = this.#reassembly.take();
      if (message === null) break;
      this.#run(() => this.#takeMessage(message));
    }
    this.#takeEarlyRecords();
  }

  #takeMessage(message: HandshakeMessage): void {
    if (message.type !== this.#expected) {
      throw new DtlsError('unexpected_message', `the device sent handshake message ${message.type} out of order`);
    }
    switch (message.type) {
      case HANDSHAKE.certificate:
        return this.#takeCertificate(message);
      case HANDSHAKE.clientKeyExchange:
        return this.#takeClientKeyExchange(message);
      case HANDSHAKE.certificateVerify:
        return this.#takeCertificateVerify(message);
    }
  }

  #takeCertificate(message: HandshakeMessage): void {
    this.#clientKey = parseClientKey(this.negotiated.clientCertificateType, message.body);
    this.#claim = { kind: this.#clientKey.kind, name: this.#clientKey.name };
    this.#transcript.push(message.encoded);
    this.#expected = HANDSHAKE.clientKeyExchange;
  }

  #takeClientKeyExchange(message: HandshakeMessage): void {
    this.#transcript.push(message.encoded);
    if (this.#ephemeral !== null) {
      const point = messages.parseEcdheKeyExchange(message.body);
      this.#deriveKeys(this.#ephemeral.premasterSecret(point));
      this.#expected = HANDSHAKE.certificateVerify;
      return;
    }
    const identity = messages.parsePskKeyExchange(message.body);
    this.#claim = { kind: 'psk', name: nameOf(identity) };
    const answer = identity.length <= MAX_IDENTITY ? this.#context.lookUps.psk(identity) : Promise.resolve(null);
    this.#whenAnswered(answer, (found) => this.#usePsk(identity, found));
  }

  #usePsk(identity: Buffer, found: PskCredential | null): void {
    // RFC 4279 §2: a stranger's Finished then fails like one under a wrong key, and identities can't be listed.
    const key = found === null ? this.#context.random(16) : Buffer.from(found.key);
    if (found !== null) {
      const proof = { kind: 'psk', identity, keyDigest: keyDigest(key) } as const;
      this.#authenticated = { credential: found.credential, proof };
    }
    this.#deriveKeys(pskPremasterSecret(key));
    this.#expected = HANDSHAKE.finished;
  }

  #takeCertificateVerify(message: HandshakeMessage): void {
    const key = this.#clientKey;
    if (key === null) throw new DtlsError('unexpected_message', 'CertificateVerify without a certificate');
    verifyPossession(key, message.body, this.#transcript);
    this.#transcript.push(message.encoded);
    this.#expected = HANDSHAKE.finished;
    if (key.kind === 'rpk') {
      this.#whenAnswered(this.#context.lookUps.rawPublicKey(key.spki), (found) => {
        if (found === null) throw new DtlsError('certificate_unknown', `raw public key ${key.name} is not known`);
        this.#authenticated = { credential: found.credential, proof: { kind: 'rpk', spki: key.spki } };
      });
    } else {
      this.#whenAnswered(this.#context.lookUps.certificate(key.chain), (verdict) => {
        if ('refused' in verdict) throw new DtlsError(verdict.refused, verdict.reason);
        const proof = { kind: 'x509', chain: key.chain } as const;
        this.#authenticated = { credential: verdict.credential, proof };
      });
    }
  }

  #takeProtected(opened: OpenedRecord): void {
    if (opened.type === CONTENT.alert) {
      const alert = decodeAlert(opened.content);
      if (alert !== null) this.receiveAlert(alert);
      return;
    }
    // Application data that overtook the Finished of a resumption is lost like a datagram; CoAP sends it again.
    if (opened.type !== CONTENT.handshake) return;
    const [fragment] = messages.parseFragments(opened.content);
    const isExpected =
      fragment?.type === HANDSHAKE.finished &&
      fragment.sequence === this.#reassembly.nextSequence &&
      messages.isWhole(fragment);
    if (!isExpected) throw new DtlsError('unexpected_message', 'the device sent something else than its Finished');
    this.#takeFinished(fragment);
  }

  #takeFinished(fragment: messages.HandshakeFragment): void {
    const secured = this.#secured;
    const authenticated = this.#authenticated;
    const claim = this.#claim;
    if (secured === null || authenticated === null || claim === null) {
      throw new DtlsError('internal_error', 'a Finished before the device was authenticated');
    }
    const expected = verifyData(secured.master, 'client', this.#transcript);
    if (fragment.body.length !== expected.length || !timingSafeEqual(fragment.body, expected)) {
      throw new DtlsError('decrypt_error', "the device's Finished does not fit the handshake");
    }
    this.#transcript.push(messages.encodeFragment(fragment));
    if (this.#resumed === null) {
      this.#sender.protect(secured.channel);
      this.#sender.send([{ kind: 'changeCipherSpec' }, this.#finished(secured.master)], 'final');
    }
    this.#end();
    const { kind, name } = claim;
    const identity = { kind, name, credential: authenticated.credential };
    this.#context.established(this, {
      channel: secured.channel,
      identity,
      proof: authenticated.proof,
      finalFlight: this.#resumed === null ? this.#sender : null,
      resumable: this.#nextResumable(secured.master, identity, authenticated.proof),
      resumed: this.#resumed,
    });
  }

  #nextResumable(master: Buffer, identity: SecurityIdentity, proof: Proof): Established['resumable'] {
    if (!this.negotiated.extendedMasterSecret) return null;
    const { clock, settings } = this.#context;
    const expiresAt = this.#resumed?.expiresAt ?? clock.now() + settings.limits.resumableMs;
    return { sessionId: this.#sessionId, master, suite: this.negotiated.suite, identity, proof, expiresAt };
  }

  #deriveKeys(premaster: Buffer): void {
    this.#secure(
      this.negotiated.extendedMasterSecret
        ? extendedMasterSecret(premaster, this.#transcript)
        : masterSecret(premaster, this.clientRandom, this.#serverRandom),
    );
  }

  #secure(master: Buffer): { readonly master: Buffer; readonly channel: Channel } {
    const { suite, encryptThenMac, clientCid } = this.negotiated;
    const protection = protectionOf(suite, encryptThenMac);
    const keys = keyBlock(master, this.clientRandom, this.#serverRandom, protection.keyLengths);
    const channel = new Channel(protection, {
      readKeys: keys.client,
      writeKeys: keys.server,
      nextSequence: 0,
      replay: { highest: -1, recent: 0, older: 0 },
      readCid: clientCid === null ? null : this.cid,
      writeCid: clientCid,
    });
    return (this.#secured = { master, channel });
  }

  #serverHello(): FlightPart {
    const body = messages.encodeServerHello({
      version: VERSION_DTLS12,
      random: this.#serverRandom,
      sessionId: this.#sessionId,
      suite: this.negotiated.suite.id,
      extensions: serverExtensions(this.#hello, this.negotiated, this.cid),
    });
    return this.#message(HANDSHAKE.serverHello, body);
  }

  #message(type: number, body: Buffer): FlightPart {
    const sequence = this.#nextSequence++;
    this.#transcript.push(messages.encodeMessage(type, sequence, body));
    return { kind: 'handshake', type, sequence, body };
  }

  #finished(master: Buffer): FlightPart {
    const body = verifyData(master, 'server', this.#transcript);
    const message = messages.encodeMessage(HANDSHAKE.finished, this.#nextSequence++, body);
    this.#transcript.push(message);
    return { kind: 'finished', message };
  }

  /** Nothing is taken from the device until `answer` is there; what it sends meanwhile waits. */
  #whenAnswered<T>(answer: Promise<T>, use: (value: T) => void): void {
    this.#lookingUp = true;
    const goOn = (step: () => void): void => {
      if (this.#ended) return;
      this.#lookingUp = false;
      this.#run(step);
      this.#takeMessages();
    };
    answer.then(
      (value) => goOn(() => use(value)),
      (error: unknown) =>
        goOn(() => {
          throw error;
        }),
    );
  }

  #takeEarlyRecords(): void {
    if (this.#secured === null || this.#lookingUp || this.#expected !== HANDSHAKE.finished) return;
    const records = this.#early;
    this.#early = [];
    for (const record of records) this.receiveProtected(record);
  }

  /** Nothing throws out of a receive path: whatever a step throws ends the handshake with an alert. */
  #run(step: () => void): void {
    if (this.#ended) return;
    try {
      step();
    } catch (error) {
      const known = error instanceof DtlsError && error.code !== 'settings' && error.code !== 'saved_sessions';
      const alert = known ? error.code : 'internal_error';
      const reason = known ? error.message : 'the server failed';
      this.#sendAlert(alert);
      this.#fail({ alert, reason });
    }
  }

  /** In the epoch that our last flight ended in. */
  #sendAlert(description: AlertDescription): void {
    const body = encodeAlert('fatal', description);
    if (this.#resumed === null) this.#sender.sendPlain(CONTENT.alert, body);
    else {
      const record = this.#secured?.channel.seal(CONTENT.alert, body);
      if (record) this.#context.transmit(this.address, record);
    }
  }

  #fail(failure: HandshakeFailure): void {
    if (this.#ended) return;
    this.#end();
    this.#context.failed(this, failure);
  }

  #end(): void {
    this.#ended = true;
    this.#deadline.cancel();
    this.#sender.stop();
    this.#early = [];
  }

  #silence(): string {
    const claim = this.#claim;
    if (this.#lookingUp) return 'the credential look-up had not answered yet';
    if (claim?.kind === 'psk' && this.#authenticated === null) return `identity '${claim.name}' is not known`;
    if (this.#unreadable && claim?.kind === 'psk') {
      return `the device's key for identity '${claim.name}' is not the one on file`;
    }
    if (this.#unreadable) return "the device's Finished could not be read";
    return 'the device stopped answering';
  }
}

/** PSK identities are UTF-8 by RFC 4279 §5.1; of anything else, or unprintable, the hex is shown. */
function nameOf(identity: Buffer): string {
  const text = identity.toString('utf8');
  const isPlain = Buffer.from(text).equals(identity) && !/\p{C}/u.test(text);
  return isPlain && identity.length <= MAX_IDENTITY ? text : identity.subarray(0, MAX_IDENTITY).toString('hex');
}

function copied(record: DtlsRecord): DtlsRecord {
  const cid = record.cid === null ? null : Buffer.from(record.cid);
  return { ...record, cid, fragment: Buffer.from(record.fragment) };
}

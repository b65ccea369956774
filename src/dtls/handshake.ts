import { timingSafeEqual } from 'node:crypto';

import type { Clock, Timer } from '../clock.ts';
import type { Address } from './address.ts';
import { type Alert, type AlertDescription, decodeAlert, encodeAlert } from './alert.ts';
import { Channel, type OpenedRecord, type OpenFailure } from './channel.ts';
import { type Authenticated, type Claim, ClientAuthentication } from './client-authentication.ts';
import { DtlsError } from './error.ts';
import type { FlightPart } from './flight.ts';
import { FlightSender } from './flight-sender.ts';
import { EphemeralKey } from './key-exchange.ts';
import { extendedMasterSecret, keyBlock, masterSecret, pskPremasterSecret, verifyData } from './key-schedule.ts';
import type { Hello } from './hello-gate.ts';
import type { LookUps } from './look-ups.ts';
import * as messages from './messages.ts';
import { HANDSHAKE } from './messages.ts';
import { type Negotiated, serverExtensions } from './negotiation.ts';
import { protectionOf } from './protection.ts';
import type { Random } from './random.ts';
import { type HandshakeMessage, Reassembly } from './reassembly.ts';
import { NOTHING_SEEN } from './replay.ts';
import { CONTENT, type DtlsRecord, VERSION_DTLS12 } from './record.ts';
import type { Resumable, Resumables } from './resumption.ts';
import type { DtlsSettings } from './settings.ts';
import { Transcript } from './transcript.ts';
import { lasting } from './wire.ts';

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

export interface Established extends Authenticated {
  readonly channel: Channel;
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

interface Secured {
  readonly master: Buffer;
  readonly channel: Channel;
}

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
  readonly #transcript: Transcript;
  readonly #reassembly: Reassembly;
  readonly #sender: FlightSender;
  readonly #authentication: ClientAuthentication;
  readonly #deadline: Timer;
  #expected: number = HANDSHAKE.clientKeyExchange;
  #sessionId: Buffer = Buffer.alloc(0);
  #ephemeral: EphemeralKey | null = null;
  #resumed: Resumable | null = null;
  #secured: Secured | null = null;
  #lookingUp = false;
  #early: DtlsRecord[] = [];
  #unreadable = false;
  #ended = false;

  /** `hello`: the second ClientHello, whose cookie was good. */
  constructor(context: HandshakeContext, from: Address, hello: Hello, negotiated: Negotiated, cid: Buffer) {
    const { clock, lookUps, random, settings } = context;
    this.#context = context;
    this.address = from;
    this.negotiated = negotiated;
    this.cid = cid;
    this.startedAt = clock.now();
    this.clientRandom = hello.hello.random;
    this.#hello = hello.hello;
    this.#serverRandom = random(32);
    this.#transcript = new Transcript(hello.message, hello.messageSequence);
    this.#reassembly = new Reassembly(hello.messageSequence + 1);
    this.#sender = new FlightSender(clock, hello.recordSequence, (datagram) => context.transmit(from, datagram));
    this.#authentication = new ClientAuthentication(lookUps, random);
    this.#deadline = clock.after(settings.limits.handshakeDeadlineMs, () => this.abandon(this.whyUnfinished()));
  }

  get claim(): Claim | null {
    return this.#authentication.claim;
  }

  /** The credential on file for the claim; null while none is found. */
  get credential(): string | null {
    return this.#authentication.result?.identity.credential ?? null;
  }

  get isResumption(): boolean {
    return this.#resumed !== null;
  }

  start(): void {
    this.#run(() => {
      const resumable = this.#findResumable();
      if (resumable === null) return this.#offer();
      this.#whenAnswered(this.#authentication.resume(resumable), (holds) => {
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
    if (this.#secured === null || !this.#awaitsFinished) {
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

  /** Why the handshake stands still, in words. */
  whyUnfinished(): string {
    const { claim, result } = this.#authentication;
    if (this.#lookingUp) return 'the credential look-up had not answered yet';
    if (claim?.kind === 'psk' && result === null) return `identity '${claim.name}' is not known`;
    if (claim?.kind === 'psk' && this.#unreadable) {
      return `the device's key for identity '${claim.name}' is not the one on file`;
    }
    return this.#unreadable ? "the device's Finished could not be read" : 'the device stopped answering';
  }

  get #awaitsFinished(): boolean {
    return this.#expected === HANDSHAKE.finished && !this.#lookingUp;
  }

  #findResumable(): Resumable | null {
    const { extendedMasterSecret: extended, suite } = this.negotiated;
    if (!extended || this.#hello.sessionId.length === 0) return null;
    const found = this.#context.resumables.find(this.#hello.sessionId);
    return found?.suite.id === suite.id ? found : null;
  }

  /** ServerHello up to ServerHelloDone. */
  #offer(): void {
    if (this.negotiated.extendedMasterSecret) this.#sessionId = this.#context.random(32);
    const flight = [this.#serverHello()];
    const { identity } = this.#context.settings;
    if (this.negotiated.suite.keyExchange === 'ECDHE_ECDSA') {
      if (identity === null) throw new DtlsError('internal_error', 'the server has no certificate');
      this.#ephemeral = new EphemeralKey();
      const certificate =
        this.negotiated.serverCertificateType === 'RawPublicKey'
          ? messages.encodeRawPublicKey(identity.spki)
          : messages.encodeCertificateChain(identity.chain);
      const keyExchange = this.#ephemeral.serverKeyExchange(identity, this.clientRandom, this.#serverRandom);
      flight.push(
        this.#transcript.add(HANDSHAKE.certificate, certificate),
        this.#transcript.add(HANDSHAKE.serverKeyExchange, keyExchange),
        this.#transcript.add(HANDSHAKE.certificateRequest, messages.encodeCertificateRequest()),
      );
      this.#expected = HANDSHAKE.certificate;
    }
    flight.push(this.#transcript.add(HANDSHAKE.serverHelloDone, Buffer.alloc(0)));
    this.#sender.send(flight, 'answered');
  }

  /** RFC 5246 §7.3, figure 2: our Finished comes first. */
  #resume(resumable: Resumable): void {
    this.#resumed = resumable;
    this.#sessionId = resumable.sessionId;
    const hello = this.#serverHello();
    this.#sender.protect(this.#secure(resumable.master));
    this.#expected = HANDSHAKE.finished;
    const finished = this.#transcript.addFinished(resumable.master);
    this.#sender.send([hello, { kind: 'changeCipherSpec' }, finished], 'answered');
  }

  #serverHello(): FlightPart {
    const body = messages.encodeServerHello({
      version: VERSION_DTLS12,
      random: this.#serverRandom,
      sessionId: this.#sessionId,
      suite: this.negotiated.suite.id,
      extensions: serverExtensions(this.#hello, this.negotiated, this.cid),
    });
    return this.#transcript.add(HANDSHAKE.serverHello, body);
  }

  #takeMessages(): void {
    while (!this.#ended && !this.#lookingUp) {
      const message = this.#reassembly.take();
      if (message === null) break;
      this.#run(() => this.#takeMessage(message));
    }
    this.#takeEarlyRecords();
  }

  #takeMessage({ type, body, encoded }: HandshakeMessage): void {
    if (type !== this.#expected) {
      throw new DtlsError('unexpected_message', `the device sent handshake message ${type} out of order`);
    }
    switch (type) {
      case HANDSHAKE.certificate:
        this.#transcript.addReceived(encoded);
        this.#authentication.takeCertificate(this.negotiated.clientCertificateType, body);
        this.#expected = HANDSHAKE.clientKeyExchange;
        break;
      case HANDSHAKE.clientKeyExchange:
        // RFC 7627 §3: the session hash includes it.
        this.#transcript.addReceived(encoded);
        this.#takeClientKeyExchange(body);
        break;
      case HANDSHAKE.certificateVerify: {
        // RFC 5246 §7.4.8: the signature is over everything before it.
        const signed = Buffer.concat(this.#transcript.messages);
        this.#transcript.addReceived(encoded);
        this.#expected = HANDSHAKE.finished;
        this.#whenAnswered(this.#authentication.takeCertificateVerify(body, signed), () => {});
        break;
      }
    }
  }

  #takeClientKeyExchange(body: Buffer): void {
    if (this.#ephemeral !== null) {
      this.#deriveKeys(this.#ephemeral.premasterSecret(messages.parseEcdheKeyExchange(body)));
      this.#expected = HANDSHAKE.certificateVerify;
      return;
    }
    this.#whenAnswered(this.#authentication.pskOf(messages.parsePskKeyExchange(body)), (key) => {
      this.#deriveKeys(pskPremasterSecret(key));
      this.#expected = HANDSHAKE.finished;
    });
  }

  #takeEarlyRecords(): void {
    if (this.#secured === null || !this.#awaitsFinished) return;
    const records = this.#early;
    this.#early = [];
    for (const record of records) this.receiveProtected(record);
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
    const authenticated = this.#authentication.result;
    if (secured === null || authenticated === null) {
      throw new DtlsError('internal_error', 'a Finished before the device was authenticated');
    }
    const { master, channel } = secured;
    const expected = verifyData(master, 'client', this.#transcript.messages);
    if (fragment.body.length !== expected.length || !timingSafeEqual(fragment.body, expected)) {
      throw new DtlsError('decrypt_error', "the device's Finished does not fit the handshake");
    }
    this.#transcript.addReceived(messages.encodeFragment(fragment));
    if (this.#resumed === null) {
      this.#sender.protect(channel);
      this.#sender.send([{ kind: 'changeCipherSpec' }, this.#transcript.addFinished(master)], 'final');
    }
    this.#end();
    this.#context.established(this, {
      ...authenticated,
      channel,
      finalFlight: this.#resumed === null ? this.#sender : null,
      resumable: this.#nextResumable(master, authenticated),
      resumed: this.#resumed,
    });
  }

  #nextResumable(master: Buffer, authenticated: Authenticated): Established['resumable'] {
    if (!this.negotiated.extendedMasterSecret) return null;
    const { clock, settings } = this.#context;
    const expiresAt = this.#resumed?.expiresAt ?? clock.now() + settings.limits.resumableMs;
    return { ...authenticated, sessionId: this.#sessionId, master, suite: this.negotiated.suite, expiresAt };
  }

  #deriveKeys(premaster: Buffer): void {
    this.#secure(
      this.negotiated.extendedMasterSecret
        ? extendedMasterSecret(premaster, this.#transcript.messages)
        : masterSecret(premaster, this.clientRandom, this.#serverRandom),
    );
  }

  #secure(master: Buffer): Channel {
    const { suite, encryptThenMac, clientCid } = this.negotiated;
    const protection = protectionOf(suite, encryptThenMac);
    const keys = keyBlock(master, this.clientRandom, this.#serverRandom, protection.keyLengths);
    const channel = new Channel(protection, {
      readKeys: keys.client,
      writeKeys: keys.server,
      nextSequence: 0,
      replay: NOTHING_SEEN,
      readCid: clientCid === null ? null : this.cid,
      writeCid: clientCid && lasting(clientCid),
    });
    this.#secured = { master, channel };
    return channel;
  }

  /** Nothing is taken from the device until `answer` is there; what it sends meanwhile waits. */
  #whenAnswered<T>(answer: Promise<T>, use: (value: T) => void): void {
    this.#lookingUp = true;
    const goOn = (step: () => void): void => {
      this.#lookingUp = false;
      this.#run(step);
      this.#takeMessages();
    };
    answer.then(
      (value) => goOn(() => use(value)),
      (error: unknown) => goOn(() => raise(error)),
    );
  }

  /** Nothing throws out of a receive path: whatever a step throws ends the handshake with an alert. */
  #run(step: () => void): void {
    if (this.#ended) return;
    try {
      step();
    } catch (error) {
      const { alert, reason } = failureOf(error);
      this.#sendAlert(alert);
      this.#fail({ alert, reason });
    }
  }

  /** In the epoch that our last flight ended in. */
  #sendAlert(description: AlertDescription): void {
    const body = encodeAlert('fatal', description);
    if (this.#resumed === null) return this.#sender.sendPlain(CONTENT.alert, body);
    const record = this.#secured?.channel.seal(CONTENT.alert, body);
    if (record) this.#context.transmit(this.address, record);
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
}

/** What the device is told, and what the log says. */
export function failureOf(error: unknown): { readonly alert: AlertDescription; readonly reason: string } {
  if (error instanceof DtlsError && error.code !== 'settings' && error.code !== 'saved_sessions') {
    return { alert: error.code, reason: error.message };
  }
  return { alert: 'internal_error', reason: 'the server failed' };
}

function raise(error: unknown): never {
  throw error;
}

function copied(record: DtlsRecord): DtlsRecord {
  const cid = record.cid === null ? null : Buffer.from(record.cid);
  return { ...record, cid, fragment: Buffer.from(record.fragment) };
}

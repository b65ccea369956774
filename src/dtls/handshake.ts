import type { Clock, Timer } from '../clock.ts';
import type { Address } from './address.ts';
import { type Alert, type AlertDescription, decodeAlert, encodeAlert } from './alert.ts';
import type { OpenedRecord, OpenFailure } from './channel.ts';
import { type Authenticated, type Claim, ClientAuthentication } from './client-authentication.ts';
import { EarlyRecords } from './early-records.ts';
import { DtlsError } from './error.ts';
import { Exchange, type Secured } from './exchange.ts';
import { FlightSender } from './flight-sender.ts';
import { type Established, failureOf, type HandshakeFailure } from './handshake-outcome.ts';
import { HandshakeSteps } from './handshake-steps.ts';
import type { Hello } from './hello-gate.ts';
import type { LookUps } from './look-ups.ts';
import * as messages from './messages.ts';
import { HANDSHAKE } from './messages.ts';
import type { Negotiated } from './negotiation.ts';
import type { Random } from './random.ts';
import { type HandshakeMessage, Reassembly } from './reassembly.ts';
import { CONTENT, type DtlsRecord } from './record.ts';
import { findResumable, type Resumable, type Resumables } from './resumption.ts';
import type { DtlsSettings } from './settings.ts';

export interface HandshakeContext {
  readonly settings: DtlsSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly lookUps: LookUps;
  readonly resumables: Resumables;
  transmit(to: Address, datagram: Buffer): void;
  /** How often credentials or certificates were revoked. */
  revocations(): number;
  /** Whether one more session could be opened now; counts it when not. */
  hasRoom(): boolean;
  established(handshake: Handshake, established: Established): void;
  failed(handshake: Handshake, failure: HandshakeFailure): void;
}

/** One handshake from the second ClientHello to the client's Finished: RFC 6347 §4.2, server side. */
export class Handshake {
  readonly address: Address;
  readonly clientRandom: Buffer;
  readonly negotiated: Negotiated;
  /** Our Connection ID in the session to be, in hex: the session's name even if the client doesn't use one. */
  readonly key: string;
  readonly startedAt: number;

  readonly #context: HandshakeContext;
  readonly #hello: messages.ClientHello;
  readonly #exchange: Exchange;
  readonly #reassembly: Reassembly;
  readonly #sender: FlightSender;
  readonly #authentication: ClientAuthentication;
  readonly #deadline: Timer;
  readonly #early = new EarlyRecords();
  readonly #steps = new HandshakeSteps(
    (error) => this.#failWithAlert(error),
    () => this.#takeMessages(),
  );
  #expected: number = HANDSHAKE.clientKeyExchange;
  #resumed: Resumable | null = null;
  /** How often something had been revoked when the device's credential was asked for. */
  #revocations: number;
  #unreadable = false;

  /** `hello`: the second ClientHello, whose cookie was good. */
  constructor(context: HandshakeContext, from: Address, hello: Hello, negotiated: Negotiated, cid: Buffer) {
    const { clock, lookUps, random, settings } = context;
    this.#context = context;
    this.address = from;
    this.negotiated = negotiated;
    this.key = cid.toString('hex');
    this.startedAt = clock.now();
    this.#revocations = context.revocations();
    this.clientRandom = hello.hello.random;
    this.#hello = hello.hello;
    this.#exchange = new Exchange(hello, negotiated, cid, random);
    this.#reassembly = new Reassembly(hello.messageSequence + 1);
    const guarded = {
      now: () => clock.now(),
      after: (ms: number, task: () => void) => clock.after(ms, () => this.#steps.run(task)),
    };
    this.#sender = new FlightSender(guarded, hello.recordSequence, (datagram) => context.transmit(from, datagram));
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
    this.#steps.run(() => {
      const resumable = findResumable(this.#hello, this.negotiated, this.#context.resumables);
      if (resumable === null) return this.#offer();
      this.#steps.whenAnswered(this.#authentication.resume(resumable), (holds) => {
        if (holds) this.#resume(resumable);
        else this.#offer();
      });
    });
  }

  /** The client sent its second ClientHello again: it has not seen our answer. */
  helloRepeated(): void {
    this.#steps.run(() => this.#sender.resend());
  }

  /** A fragment of an unprotected message other than ClientHello. */
  receive(fragment: messages.HandshakeFragment): void {
    // A Finished counts only under the new keys.
    if (this.#steps.hasEnded || fragment.type === HANDSHAKE.finished) return;
    this.#steps.run(() => this.#reassembly.add(fragment));
    this.#takeMessages();
  }

  /** Null when the record was taken, now or for later. */
  receiveProtected(record: DtlsRecord): OpenFailure | null {
    if (this.#steps.hasEnded) return null;
    const { secured } = this.#exchange;
    if (secured === null || !this.#awaitsFinished) {
      this.#early.keep(record);
      return null;
    }
    const opened = secured.channel.open(record);
    if (typeof opened === 'string') {
      this.#unreadable ||= opened === 'forged';
      return opened;
    }
    this.#steps.run(() => this.#takeProtected(opened));
    return null;
  }

  /** RFC 5246 §7.2: a fatal alert ends the handshake, whoever sent it; nobody is proved yet. */
  receiveAlert(alert: Alert): void {
    if (alert.level === 'fatal' || alert.description === 'close_notify') {
      this.abandon(`the device ended the handshake: alert ${alert.description}`);
    }
  }

  /** Ends it without a word to the device. */
  abandon(reason: string): void {
    this.#fail({ alert: null, reason });
  }

  /** Why the handshake stands still, in words. */
  whyUnfinished(): string {
    const { claim, result } = this.#authentication;
    if (this.#steps.isWaiting) return 'the credential look-up was not finished';
    if (claim?.kind === 'psk' && result === null) return `identity '${claim.name}' is not known`;
    if (claim?.kind === 'psk' && this.#unreadable) {
      return `the device's key for identity '${claim.name}' does not match the stored key`;
    }
    return this.#unreadable ? "the device's Finished could not be decrypted" : 'the device stopped responding';
  }

  get #awaitsFinished(): boolean {
    return this.#expected === HANDSHAKE.finished && !this.#steps.isWaiting;
  }

  #offer(): void {
    if (this.negotiated.suite.keyExchange === 'ECDHE_ECDSA') this.#expected = HANDSHAKE.certificate;
    this.#sender.send(this.#exchange.offer(this.#context.settings.identity), 'answered');
  }

  #resume(resumable: Resumable): void {
    this.#resumed = resumable;
    this.#expected = HANDSHAKE.finished;
    const flight = this.#exchange.resume(resumable.sessionId, resumable.master);
    this.#protect();
    this.#sender.send(flight, 'answered');
  }

  #takeMessages(): void {
    while (!this.#steps.hasEnded && !this.#steps.isWaiting) {
      const message = this.#reassembly.take();
      if (message === null) break;
      this.#steps.run(() => this.#takeMessage(message));
    }
    this.#takeEarlyRecords();
  }

  #takeMessage({ type, body, encoded }: HandshakeMessage): void {
    if (type !== this.#expected) {
      throw new DtlsError('unexpected_message', `the device sent handshake message ${type} out of order`);
    }
    switch (type) {
      case HANDSHAKE.certificate:
        this.#exchange.addReceived(encoded);
        this.#authentication.takeCertificate(this.negotiated.clientCertificateType, body);
        this.#expected = HANDSHAKE.clientKeyExchange;
        break;
      case HANDSHAKE.clientKeyExchange:
        // RFC 7627 §3: the session hash includes it.
        this.#exchange.addReceived(encoded);
        this.#takeClientKeyExchange(body);
        break;
      case HANDSHAKE.certificateVerify: {
        // RFC 5246 §7.4.8: the signature is over everything before it.
        const signed = this.#exchange.said;
        this.#exchange.addReceived(encoded);
        this.#expected = HANDSHAKE.finished;
        this.#steps.whenAnswered(this.#authentication.takeCertificateVerify(body, signed), () => {});
        break;
      }
    }
  }

  #takeClientKeyExchange(body: Buffer): void {
    if (this.negotiated.suite.keyExchange === 'ECDHE_ECDSA') {
      this.#exchange.deriveFromPoint(body);
      this.#expected = HANDSHAKE.certificateVerify;
      return;
    }
    this.#steps.whenAnswered(this.#authentication.pskOf(messages.parsePskKeyExchange(body)), (key) => {
      this.#exchange.deriveFromPsk(key);
      this.#expected = HANDSHAKE.finished;
    });
  }

  #takeEarlyRecords(): void {
    if (!this.#awaitsFinished) return;
    for (const record of this.#early.takeAll()) this.receiveProtected(record);
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
    if (!isExpected) throw new DtlsError('unexpected_message', 'the device sent a message other than Finished');
    this.#takeFinished(fragment);
  }

  #takeFinished(fragment: messages.HandshakeFragment): void {
    const { secured } = this.#exchange;
    const authenticated = this.#authentication.result;
    if (secured === null || authenticated === null) {
      throw new DtlsError('internal_error', 'the device sent Finished before it was authenticated');
    }
    this.#exchange.takeFinished(fragment, secured);
    this.#whenUnrevoked(authenticated, () => this.#open(secured, authenticated));
  }

  /** What was looked up may have been revoked since: then it is asked for again before anything is opened on it. */
  #whenUnrevoked(authenticated: Authenticated, goOn: () => void): void {
    const revocations = this.#context.revocations();
    if (this.#revocations === revocations) return goOn();
    this.#revocations = revocations;
    const { identity, proof } = authenticated;
    this.#steps.whenAnswered(this.#context.lookUps.stillHolds(proof, identity.credential), (holds) => {
      if (!holds) throw new DtlsError('access_denied', 'the credential was revoked during the handshake');
      this.#whenUnrevoked(authenticated, goOn);
    });
  }

  #open(secured: Secured, { identity, proof }: Authenticated): void {
    // There was room when it began; others may have been quicker.
    if (!this.#context.hasRoom()) throw new DtlsError('internal_error', 'the maximum number of sessions is reached');
    if (this.#resumed === null) {
      this.#protect();
      this.#sender.send(this.#exchange.finish(secured), 'final');
    }
    this.#end();
    this.#context.established(this, {
      identity,
      proof,
      channel: secured.channel,
      finalFlight: this.#resumed === null ? this.#sender : null,
      resumable: this.#nextResumable(secured.master, { identity, proof }),
      resumed: this.#resumed,
    });
  }

  #nextResumable(master: Buffer, { identity, proof }: Authenticated): Established['resumable'] {
    if (!this.negotiated.extendedMasterSecret) return null;
    const { clock, settings } = this.#context;
    const expiresAt = this.#resumed?.expiresAt ?? clock.now() + settings.limits.resumableMs;
    const { sessionId } = this.#exchange;
    return { sessionId, master, suite: this.negotiated.suite, identity, proof, sessionKey: this.key, expiresAt };
  }

  /** What is sent from now on in epoch 1 has its keys. */
  #protect(): void {
    const { secured } = this.#exchange;
    if (secured !== null) this.#sender.protect(secured.channel);
  }

  #failWithAlert(error: unknown): void {
    const { alert, reason } = failureOf(error);
    this.#fail({ alert: this.#tell(alert) ? alert : null, reason });
  }

  /** What failed may fail again here; then the device isn't told. */
  #tell(description: AlertDescription): boolean {
    try {
      this.#sendAlert(description);
      return true;
    } catch {
      return false;
    }
  }

  /** In the epoch that our last flight ended in. */
  #sendAlert(description: AlertDescription): void {
    const body = encodeAlert('fatal', description);
    if (this.#resumed === null) return this.#sender.sendPlain(CONTENT.alert, body);
    const record = this.#exchange.secured?.channel.seal(CONTENT.alert, body);
    if (record) this.#context.transmit(this.address, record);
  }

  #fail(failure: HandshakeFailure): void {
    if (this.#steps.hasEnded) return;
    this.#end();
    this.#context.failed(this, failure);
  }

  #end(): void {
    this.#steps.end();
    this.#deadline.cancel();
    this.#sender.stop();
    this.#early.takeAll();
  }
}

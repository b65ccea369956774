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
  /** The number of revocations so far. */
  revocations(): number;
  /** Whether another session could be opened now; counts a refusal. */
  hasRoom(): boolean;
  established(handshake: Handshake, established: Established): void;
  failed(handshake: Handshake, failure: HandshakeFailure): void;
}

/** The server side of one handshake (RFC 6347 §4.2), from the second ClientHello to the client's Finished. */
export class Handshake {
  readonly address: Address;
  readonly clientRandom: Buffer;
  readonly negotiated: Negotiated;
  /**
   * The server's Connection ID in hex. It is the key of the session, even when the client does not use Connection IDs.
   */
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
  /** The number of revocations when the device's credential was looked up. */
  #revocations: number;
  #unreadable = false;

  /** `hello`: the second ClientHello, with a valid cookie. */
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
    const transmit = (datagram: Buffer): void => context.transmit(from, datagram);
    this.#sender = new FlightSender(guarded, hello.recordSequence, transmit, negotiated.maxFragment ?? undefined);
    this.#authentication = new ClientAuthentication(lookUps, random);
    this.#deadline = clock.after(settings.limits.handshakeDeadlineMs, () => this.abandon(this.whyUnfinished()));
  }

  get claim(): Claim | null {
    return this.#authentication.claim;
  }

  /** The stored credential for the claim; null until it is found. */
  get credential(): string | null {
    return this.#authentication.result?.identity.credential ?? null;
  }

  /** RFC 6066 §4: the length of the full handshake holds for its resumptions. */
  get maxFragment(): number | null {
    return this.#resumed?.maxFragment ?? this.negotiated.maxFragment;
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

  /** The client repeated its second ClientHello, so it did not receive the server's flight. */
  helloRepeated(): void {
    this.#steps.run(() => this.#sender.resend());
  }

  /** Takes a fragment of an unprotected message other than ClientHello. */
  receive(fragment: messages.HandshakeFragment): void {
    // A Finished is valid only under the new keys.
    if (this.#steps.hasEnded || fragment.type === HANDSHAKE.finished) return;
    this.#steps.run(() => this.#reassembly.add(fragment));
    this.#takeMessages();
  }

  /** Returns null when the record was processed or kept for later. */
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

  /** RFC 5246 §7.2: a fatal alert ends the handshake. The sender can't be authenticated yet. */
  receiveAlert(alert: Alert): void {
    if (alert.level === 'fatal' || alert.description === 'close_notify') {
      this.abandon(`the device ended the handshake: alert ${alert.description}`);
    }
  }

  /** Ends the handshake without an alert. */
  abandon(reason: string): void {
    this.#fail({ alert: null, reason });
  }

  /** Returns the reason why the handshake is not finished, for the log. */
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
        // Before the keys are derived: the session hash includes ClientKeyExchange (RFC 7627 §3).
        this.#exchange.addReceived(encoded);
        this.#takeClientKeyExchange(body);
        break;
      case HANDSHAKE.certificateVerify: {
        // RFC 5246 §7.4.8: the signature covers all messages before this one.
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
    // Application data that overtook the Finished of a resumption is lost like a datagram; CoAP retransmits it.
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

  /** Looks the credential up again when anything was revoked since its last look-up, then calls `goOn`. */
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
    // There was room at the start of the handshake, but other handshakes may have finished since.
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
    const { maxFragment, negotiated, key: sessionKey } = this;
    return { sessionId, master, suite: negotiated.suite, identity, proof, sessionKey, expiresAt, maxFragment };
  }

  /** Gives the sender the keys of epoch 1. */
  #protect(): void {
    const { secured } = this.#exchange;
    if (secured !== null) this.#sender.protect(secured.channel);
  }

  #failWithAlert(error: unknown): void {
    const { alert, reason } = failureOf(error);
    this.#fail({ alert: this.#trySendAlert(alert) ? alert : null, reason });
  }

  /** Returns whether the alert was sent: what failed before may fail again here. */
  #trySendAlert(description: AlertDescription): boolean {
    try {
      this.#sendAlert(description);
      return true;
    } catch {
      return false;
    }
  }

  /** Uses the epoch in which the server's last flight ended. */
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

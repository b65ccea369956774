import {
  createECDH,
  createHash,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';

import { decodeAlert, encodeAlert } from '../../src/dtls/alert.ts';
import { Channel } from '../../src/dtls/channel.ts';
import { CERTIFICATE_TYPE, type CertificateType, encodeExtension, EXTENSION } from '../../src/dtls/extensions.ts';
import type { FlightPart } from '../../src/dtls/flight.ts';
import { FlightSender } from '../../src/dtls/flight-sender.ts';
import {
  extendedMasterSecret,
  keyBlock,
  masterSecret,
  pskPremasterSecret,
  verifyData,
} from '../../src/dtls/key-schedule.ts';
import {
  ECDSA_SECP256R1_SHA256,
  encodeCertificateChain,
  encodeMessage,
  encodeRawPublicKey,
  HANDSHAKE,
  parseCertificateChain,
  parseFragments,
  parseRawPublicKey,
  SECP256R1,
} from '../../src/dtls/messages.ts';
import { protectionOf } from '../../src/dtls/protection.ts';
import { type HandshakeMessage, Reassembly } from '../../src/dtls/reassembly.ts';
import { CONTENT, parseRecords } from '../../src/dtls/record.ts';
import { type SuiteName, suiteNamed } from '../../src/dtls/suites.ts';
import { Reader, uint, vector } from '../../src/dtls/wire.ts';
import type { Clock } from '../../src/clock.ts';

export interface ClientOptions {
  readonly clock: Clock;
  readonly transmit: (datagram: Buffer) => void;
  readonly suites: readonly SuiteName[];
  readonly psk?: { readonly identity: string | Buffer; readonly key: Buffer };
  /** With an empty `chain`, the client sends no certificate. */
  readonly certificate?: { readonly privateKey: KeyObject; readonly chain: readonly Buffer[] };
  readonly certificateType?: CertificateType;
  /** Eight bytes, or zero bytes for records to the client without a Connection ID. */
  readonly cid?: Buffer;
  readonly extendedMasterSecret?: boolean;
  readonly encryptThenMac?: boolean;
  readonly resume?: ClientSession;
  readonly extraExtensions?: Buffer;
  readonly version?: number;
  /** Changes a message of the client before it is sent. */
  readonly mangle?: (type: number, body: Buffer) => Buffer;
}

export interface ClientSession {
  readonly sessionId: Buffer;
  readonly master: Buffer;
}

/** A small DTLS 1.2 client for tests. It shares the server's codecs, but not its state machine. */
export class Client {
  state: 'shaking hands' | 'open' | 'ended' = 'shaking hands';
  readonly received: Buffer[] = [];
  /** The descriptions of the received alerts. */
  readonly alerts: (string | number)[] = [];
  suite: SuiteName | null = null;
  isResumed = false;
  serverSpki: Buffer | null = null;
  channel: Channel | null = null;
  readonly #options: ClientOptions;
  readonly #random = randomBytes(32);
  readonly #sender: FlightSender;
  readonly #reassembly = new Reassembly(0);
  #nextSequence = 0;
  #transcript: Buffer[] = [];
  #serverRandom: Buffer = Buffer.alloc(32);
  #sessionId: Buffer = Buffer.alloc(0);
  #serverCid: Buffer | null = null;
  #answered = new Map<number, Buffer>();
  #master: Buffer | null = null;
  #ecdh = createECDH('prime256v1');
  #premaster: Buffer | null = null;
  #certificateRequested = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#sender = new FlightSender(options.clock, 0, options.transmit);
  }

  get session(): ClientSession {
    if (this.#master === null) throw new Error('there is no session yet');
    return { sessionId: this.#sessionId, master: this.#master };
  }

  get serverCid(): Buffer | null {
    return this.#serverCid;
  }

  start(): void {
    this.#sender.send([this.#clientHello(Buffer.alloc(0))], 'answered');
  }

  send(data: Buffer, type: number = CONTENT.applicationData): void {
    this.#options.transmit(this.seal(data, type));
  }

  seal(data: Buffer, type: number = CONTENT.applicationData): Buffer {
    const record = this.channel?.seal(type, data);
    if (!record) throw new Error('there is no channel yet');
    return record;
  }

  close(): void {
    this.send(encodeAlert('warning', 'close_notify'), CONTENT.alert);
    this.#end();
  }

  /** Sends nothing more. */
  stop(): void {
    this.#sender.stop();
  }

  receive(datagram: Buffer): void {
    if (this.state === 'ended') return;
    for (const record of parseRecords(datagram)) {
      if (record.epoch === 0) this.#receivePlain(record.type, record.fragment);
      else {
        const opened = this.channel?.open(record);
        if (opened && typeof opened !== 'string') this.#receiveOpened(opened.type, opened.content);
      }
    }
  }

  #receivePlain(type: number, fragment: Buffer): void {
    if (type === CONTENT.alert && this.state !== 'open') return this.#receiveAlert(fragment);
    if (type !== CONTENT.handshake) return;
    for (const piece of parseFragments(fragment)) this.#reassembly.add(piece);
    for (let message = this.#reassembly.take(); message !== null; message = this.#reassembly.take()) {
      this.#take(message);
    }
  }

  #receiveOpened(type: number, content: Buffer): void {
    if (type === CONTENT.alert) this.#receiveAlert(content);
    if (type === CONTENT.applicationData) this.received.push(Buffer.from(content));
    if (type !== CONTENT.handshake) return;
    const [fragment] = parseFragments(content);
    if (fragment?.type !== HANDSHAKE.finished) return;
    if (this.state === 'open') return this.#sender.resend();
    if (fragment.sequence !== this.#reassembly.nextSequence) return;
    const { master } = this.session;
    if (!verifyData(master, 'server', this.#transcriptHash).equals(fragment.body)) return this.#end();
    this.#transcript.push(Buffer.from(content));
    this.state = 'open';
    if (this.isResumed) this.#sender.send([{ kind: 'changeCipherSpec' }, this.#finished(master)], 'final');
    else this.#sender.stop();
  }

  #receiveAlert(body: Buffer): void {
    const alert = decodeAlert(body);
    if (alert === null) return;
    this.alerts.push(alert.description);
    if (alert.level === 'fatal' || alert.description === 'close_notify') this.#end();
  }

  #end(): void {
    this.state = 'ended';
    this.#sender.stop();
  }

  #take(message: HandshakeMessage): void {
    const { type, body } = message;
    if (type === HANDSHAKE.helloVerifyRequest) {
      this.#transcript = [];
      this.#sender.send([this.#clientHello(body.subarray(3))], 'answered');
      return;
    }
    this.#transcript.push(message.encoded);
    if (type === HANDSHAKE.serverHello) this.#takeServerHello(body);
    if (type === HANDSHAKE.certificate) this.#takeCertificate(body);
    if (type === HANDSHAKE.serverKeyExchange) this.#takeServerKeyExchange(body);
    if (type === HANDSHAKE.certificateRequest) this.#certificateRequested = true;
    if (type === HANDSHAKE.serverHelloDone) this.#answer();
  }

  #takeServerHello(body: Buffer): void {
    const reader = new Reader(body, 'ServerHello');
    reader.uint(2);
    this.#serverRandom = reader.bytes(32);
    this.#sessionId = reader.vector(1);
    const id = reader.uint(2);
    this.suite = this.#options.suites.find((name) => suiteNamed(name)?.id === id) ?? null;
    reader.uint(1);
    const extensions = new Reader(reader.left > 0 ? reader.vector(2) : Buffer.alloc(0), 'extensions');
    while (extensions.left > 0) this.#answered.set(extensions.uint(2), extensions.vector(2));
    this.#serverCid = this.#answered.get(EXTENSION.connectionId)?.subarray(1) ?? null;
    const { resume } = this.#options;
    if (resume && resume.sessionId.equals(this.#sessionId)) {
      this.isResumed = true;
      this.#secure(resume.master);
    }
  }

  #takeCertificate(body: Buffer): void {
    if (this.#answered.get(EXTENSION.serverCertificateType)?.[0] === CERTIFICATE_TYPE.RawPublicKey) {
      this.serverSpki = parseRawPublicKey(body);
    } else {
      const [certificate] = parseCertificateChain(body);
      this.serverSpki = new X509Certificate(certificate ?? body).publicKey.export({ format: 'der', type: 'spki' });
    }
  }

  #takeServerKeyExchange(body: Buffer): void {
    const reader = new Reader(body, 'ServerKeyExchange');
    reader.bytes(3);
    const point = reader.vector(1);
    const parameters = body.subarray(0, body.length - reader.left);
    reader.uint(2);
    const signature = reader.vector(2);
    const key = createPublicKey({ key: this.serverSpki ?? Buffer.alloc(0), format: 'der', type: 'spki' });
    const signed = Buffer.concat([this.#random, this.#serverRandom, parameters]);
    if (!verify('sha256', signed, key, signature)) throw new Error("the server's signature is wrong");
    this.#ecdh.generateKeys();
    this.#premaster = this.#ecdh.computeSecret(point);
  }

  #answer(): void {
    const flight: FlightPart[] = [];
    const { certificate, psk } = this.#options;
    if (this.#certificateRequested) {
      const isRaw = this.#answered.get(EXTENSION.clientCertificateType)?.[0] === CERTIFICATE_TYPE.RawPublicKey;
      const body =
        isRaw && certificate
          ? encodeRawPublicKey(createPublicKey(certificate.privateKey).export({ format: 'der', type: 'spki' }))
          : encodeCertificateChain(certificate?.chain ?? []);
      flight.push(this.#message(HANDSHAKE.certificate, body));
    }
    const keyExchange =
      this.#premaster === null ? vector(2, Buffer.from(psk?.identity ?? '')) : vector(1, this.#ecdh.getPublicKey());
    flight.push(this.#message(HANDSHAKE.clientKeyExchange, keyExchange));
    const premaster = this.#premaster ?? pskPremasterSecret(psk?.key ?? Buffer.alloc(0));
    const master = this.#answered.has(EXTENSION.extendedMasterSecret)
      ? extendedMasterSecret(premaster, this.#transcriptHash)
      : masterSecret(premaster, this.#random, this.#serverRandom);
    if (this.#certificateRequested && certificate) {
      const signature = sign('sha256', Buffer.concat(this.#transcript), certificate.privateKey);
      const body = Buffer.concat([uint(2, ECDSA_SECP256R1_SHA256), vector(2, signature)]);
      flight.push(this.#message(HANDSHAKE.certificateVerify, body));
    }
    this.#secure(master);
    flight.push({ kind: 'changeCipherSpec' }, this.#finished(master));
    this.#sender.send(flight, 'answered');
  }

  #secure(master: Buffer): void {
    const suite = suiteNamed(this.suite ?? '');
    if (!suite) throw new Error('the server chose a suite that was not offered');
    const protection = protectionOf(suite, this.#answered.has(EXTENSION.encryptThenMac));
    const keys = keyBlock(master, this.#random, this.#serverRandom, protection.keyLengths);
    this.#master = master;
    const ourCid = this.#options.cid?.length === 8 ? this.#options.cid : null;
    this.channel = new Channel(protection, {
      readKeys: keys.server,
      writeKeys: keys.client,
      nextSequence: 0,
      replay: { highest: -1, recent: 0, older: 0 },
      readCid: this.#serverCid === null ? null : ourCid,
      writeCid: this.#serverCid,
    });
    this.#sender.protect(this.channel);
  }

  #finished(master: Buffer): FlightPart {
    const body = this.#mangled(HANDSHAKE.finished, verifyData(master, 'client', this.#transcriptHash));
    const message = encodeMessage(HANDSHAKE.finished, this.#nextSequence++, body);
    this.#transcript.push(message);
    return { kind: 'finished', message };
  }

  #message(type: number, plain: Buffer): FlightPart {
    const body = this.#mangled(type, plain);
    const message = encodeMessage(type, this.#nextSequence++, body);
    this.#transcript.push(message);
    return { kind: 'handshake', message };
  }

  get #transcriptHash(): Buffer {
    return createHash('sha256').update(Buffer.concat(this.#transcript)).digest();
  }

  #mangled(type: number, body: Buffer): Buffer {
    return this.#options.mangle?.(type, body) ?? body;
  }

  #clientHello(cookie: Buffer): FlightPart {
    const { suites, cid, certificateType, resume } = this.#options;
    const types = certificateType && Buffer.from([1, CERTIFICATE_TYPE[certificateType]]);
    const extensions = [
      encodeExtension(EXTENSION.supportedGroups, vector(2, uint(2, SECP256R1))),
      encodeExtension(EXTENSION.ecPointFormats, vector(1, Buffer.from([0]))),
      encodeExtension(EXTENSION.signatureAlgorithms, vector(2, uint(2, ECDSA_SECP256R1_SHA256))),
      ...(this.#options.extendedMasterSecret === false ? [] : [encodeExtension(EXTENSION.extendedMasterSecret)]),
      ...(this.#options.encryptThenMac === false ? [] : [encodeExtension(EXTENSION.encryptThenMac)]),
      ...(cid ? [encodeExtension(EXTENSION.connectionId, vector(1, cid))] : []),
      ...(types
        ? [
            encodeExtension(EXTENSION.clientCertificateType, types),
            encodeExtension(EXTENSION.serverCertificateType, types),
          ]
        : []),
      this.#options.extraExtensions ?? Buffer.alloc(0),
    ];
    const body = Buffer.concat([
      uint(2, this.#options.version ?? 0xfefd),
      this.#random,
      vector(1, resume?.sessionId ?? Buffer.alloc(0)),
      vector(1, cookie),
      vector(2, Buffer.concat(suites.map((name) => uint(2, suiteNamed(name)?.id ?? 0)))),
      vector(1, Buffer.from([0])),
      vector(2, Buffer.concat(extensions)),
    ]);
    return this.#message(HANDSHAKE.clientHello, body);
  }
}

/** Returns the server's name of a raw public key. */
export function keyName(spki: Buffer): string {
  return createHash('sha256').update(spki).digest('hex');
}

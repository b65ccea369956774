import type { Socket } from 'node:net';
import { decode, encode, NO_BYTES } from '../../src/coap/message.ts';
import { encodeFrame, readFrame, type Frame } from '../../src/coap/tcp/frame.ts';

/** A peer that sends and receives frames over a real socket. */
export class StreamClient {
  readonly socket: Socket;
  #stream = Buffer.alloc(0);
  #frames: Frame[] = [];
  #wake: () => void = () => {};
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => {
      this.#stream = Buffer.concat([this.#stream, bytes]);
      for (;;) {
        const read = readFrame(this.#stream, 0, 100_000);
        if (typeof read === 'string') break;
        this.#frames.push({ ...read.frame, token: Buffer.from(read.frame.token), rest: Buffer.from(read.frame.rest) });
        this.#stream = this.#stream.subarray(read.end);
      }
      this.#wake();
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  async next(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      if (this.closed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  send(
    code: number,
    token: Uint8Array,
    options: Parameters<typeof encode>[0]['options'],
    payload: Uint8Array = NO_BYTES,
  ): void {
    const datagram = encode({ type: 'CON', code, messageId: 0, token, options, payload });
    this.socket.write(encodeFrame({ code, token, rest: datagram.subarray(4 + token.length) }));
  }
}

/** Decodes a frame; throws when the connection closed instead. */
export function messageOf(frame: Frame | null): {
  code: number;
  options: readonly { number: number; value: Uint8Array }[];
  payload: string;
} {
  if (!frame) throw new Error('the connection closed');
  const header = Buffer.of(0x40 | frame.token.length, frame.code, 0, 0);
  const decoded = decode(Buffer.concat([header, frame.token, frame.rest]));
  if (!decoded.ok) throw new Error(decoded.reason);
  const { code, options, payload } = decoded.message;
  return { code, options, payload: Buffer.from(payload).toString() };
}

import { readFileSync } from 'node:fs';

/** A test vector of test/data/vectors.json. */
export interface Vector {
  readonly id: string;
  readonly format: string;
  readonly contentFormat: number;
  readonly path?: string;
  readonly hex?: string;
  readonly text?: string;
  readonly resourceType?: string;
  readonly pathsOnly?: true;
  readonly nodes?: readonly VectorNode[];
  readonly links?: readonly { readonly uri: string; readonly attrs: Record<string, string | null> }[];
  readonly expect?: {
    readonly rootPath?: string;
    readonly ct?: readonly number[];
    readonly versions?: Record<string, string>;
    readonly objects?: Record<string, readonly number[]>;
  };
  readonly reject?: string;
  readonly reason?: string;
  readonly note?: string;
}

export interface VectorNode {
  readonly path: string;
  readonly type?: string;
  readonly value?: unknown;
  readonly time?: number;
}

export interface Vectors {
  readonly meta: { readonly exampleObjects: Record<string, Record<string, string>> };
  readonly valid: readonly Vector[];
  readonly invalid: readonly Vector[];
  readonly execute: {
    readonly valid: readonly { readonly text: string; readonly args: Record<string, string | null> }[];
    readonly invalid: readonly { readonly text: string; readonly reject: string; readonly reason: string }[];
  };
  readonly registerQueries: readonly {
    readonly q: string;
    readonly ok?: Record<string, unknown>;
    readonly error?: string;
  }[];
  readonly senmlTime: readonly {
    readonly bt?: number;
    readonly t?: number;
    readonly now: number;
    readonly abs: number;
  }[];
}

// The file has this shape.
export const vectors = JSON.parse(readFileSync(new URL('../../data/vectors.json', import.meta.url), 'utf8')) as Vectors;

export function payloadOf({ hex, text }: Vector): Uint8Array {
  return hex === undefined ? new TextEncoder().encode(text) : new Uint8Array(Buffer.from(hex, 'hex'));
}

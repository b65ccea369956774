/** One link of an RFC 6690 document. A valueless attribute is null. */
export interface Link {
  readonly uri: string;
  readonly attributes: Readonly<Record<string, string | null>>;
}

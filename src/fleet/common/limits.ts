/** The limits of inputs that several modules and the API check: numbers of characters (code points) or of items. */
export const LIMITS = {
  /** The name of a device, profile, API key, factory credential or trust anchor. */
  name: 200,
  tag: 64,
  tags: 50,
  /** Values of one list of a filter. */
  filtered: 200,
  search: 255,
  paths: 100,
  values: 100,
  /** Of a bootstrap plan. */
  planValues: 500,
  planPaths: 50,
  mappings: 200,
  methods: 100,
  awakeTime: 86_400,
  offlineAfter: 366 * 86_400,
} as const;

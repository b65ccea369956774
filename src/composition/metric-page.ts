import { Counter, Gauge, type Registry } from 'prom-client';

export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** Makes one sample for each entry of a record: `by('reason', dropped)`. */
export function by(label: string, counts: Readonly<Record<string, number | undefined>>): Sample[] {
  return Object.entries(counts).map(([name, count = 0]) => [{ [label]: name }, count]);
}

/** Adds metrics to a page. Each reads its values when the page is requested. */
export interface MetricPage {
  /** A counter since the start of the process. */
  counter(name: string, help: string, labelNames: readonly string[], read: () => readonly Sample[]): void;
  gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => readonly Sample[] | Promise<readonly Sample[]>,
  ): void;
}

export function metricPage(register: Registry): MetricPage {
  return {
    counter(name, help, labelNames, read) {
      const metric = new Counter({
        name,
        help,
        labelNames: [...labelNames],
        registers: [register],
        collect() {
          metric.reset();
          for (const [labels, count] of read()) metric.inc(labels, count);
        },
      });
    },
    gauge(name, help, labelNames, read) {
      const metric = new Gauge({
        name,
        help,
        labelNames: [...labelNames],
        registers: [register],
        async collect() {
          for (const [labels, value] of await read()) metric.set(labels, value);
        },
      });
    },
  };
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { decodeCommand } from '../../src/cli/decode.ts';
import { encodeCommand } from '../../src/cli/encode.ts';
import type { Streams } from '../../src/cli/decode-lines.ts';
import { vectors } from '../lwm2m/codec/vectors.ts';
import type { Vector } from '../lwm2m/codec/vectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'treeline-decode-'));
const types = join(folder, 'types.json');
writeFileSync(types, JSON.stringify(vectors.meta.exampleObjects));
afterAll(() => rmSync(folder, { recursive: true }));

// A refused payload sets process.exitCode to 1, which would fail the test run.
afterEach(() => {
  process.exitCode = 0;
});

/** Runs a command and returns the JSON values that it prints, one per line. */
async function run(
  command: (streams: Streams) => Command,
  args: readonly string[],
  lines: readonly string[] = [],
): Promise<unknown[]> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const written = text(stdout);
  stdin.end(lines.map((line) => `${line}\n`).join(''));
  await command({ stdin, stdout }).parseAsync([...args], { from: 'user' });
  stdout.end();
  return (await written)
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

const lineOf = ({ contentFormat, path, hex, text: payload, resourceType, pathsOnly }: Vector): string =>
  JSON.stringify({ contentFormat, path, hex, text: payload, resourceType, pathsOnly });

describe('treeline decode', () => {
  it.each([
    [
      ['--content-format', '11542', '--path', '/3/0', 'c10964'],
      { path: '/3/0/9', type: 'Integer', value: 100, time: null },
    ],
    [['-f', '110', '[{"n":"/3/0/9","v":100}]'], { path: '/3/0/9', type: 'Integer', value: 100, time: null }],
    [['-f', '0', '-p', '/3/0/9', '--text', '100'], { path: '/3/0/9', type: 'Integer', value: 100, time: null }],
    [['-f', '0', '-p', '/3/0/9', '313030'], { path: '/3/0/9', type: 'Integer', value: 100, time: null }],
    [
      ['-f', '60', '-p', '/31000/0/1', '--type', 'Time', '1864'],
      { path: '/31000/0/1', type: 'Time', value: 100, time: null },
    ],
    [
      ['-f', '60', '-p', '/31000/0/1', '1864'],
      { path: '/31000/0/1', type: 'Integer', value: 100, time: null, guessed: true },
    ],
    [['-f', '112', '--paths', '81 a1 00 66 2f332f302f30'], { path: '/3/0/0' }],
  ])('%j', async (args, reading) => {
    expect(await run(decodeCommand, args)).toEqual([{ readings: [reading] }]);
  });

  it('prints links as uri and attrs', async () => {
    expect(await run(decodeCommand, ['-f', '40', '</>;ct=110,</3/0>,</65535>'])).toEqual([
      {
        links: [
          { uri: '/', attrs: { ct: '110' } },
          { uri: '/3/0', attrs: {} },
        ],
        dropped: [{ uri: '/65535', attrs: {} }],
      },
    ]);
  });

  it('prints the error and its offset and sets the exit code to 1', async () => {
    const [answer] = await run(decodeCommand, ['-f', '11542', '-p', '/3/0', 'c10964c2']);
    expect(answer).toEqual({ error: { code: 'INVALID_PAYLOAD', message: expect.any(String), offset: 3 } });
    expect(process.exitCode).toBe(1);
  });

  it('answers every test vector with one line', async () => {
    const known = [...vectors.valid, ...vectors.invalid].filter(
      (vector) => vector.note?.includes('without a model') !== true,
    );
    const answers = await run(decodeCommand, ['--jsonl', '--types', types], known.map(lineOf));
    const accepted = new Set([
      'senml-json-bad-objlnk-hex',
      'senml-json-bad-vd-padded',
      'link-bad-blank-after-comma',
      'link-bad-11',
      'link-bad-18',
      'link-bad-20',
    ]);
    expect(answers).toHaveLength(known.length);
    for (const [index, vector] of known.entries()) {
      const refused = vector.reject !== undefined && !accepted.has(vector.id);
      if (refused)
        expect(answers[index], vector.id).toMatchObject({
          error: { code: expect.any(String), message: expect.any(String) },
        });
      else if (vector.reject === undefined && vector.links === undefined)
        expect(answers[index], vector.id).toMatchObject({ readings: vector.nodes });
      else if (vector.links !== undefined) expect(answers[index], vector.id).toEqual({ links: vector.links });
    }
  });

  it('continues after invalid lines', async () => {
    const good = '{"contentFormat":11542,"path":"/3/0","hex":"c10964"}';
    const bad = [
      '',
      'x',
      '[]',
      'null',
      '{}',
      '{"contentFormat":"11542","hex":""}',
      '{"contentFormat":42,"path":7,"hex":""}',
      '{"contentFormat":42,"path":"/5/0/0","hex":"0"}',
      '{"contentFormat":42,"path":"/5/0/0"}',
      '{"contentFormat":60,"path":"/5/0/0","hex":"00","resourceType":"Number"}',
      '{"contentFormat":110,"path":"/","text":"[]","now":"x"}',
    ];
    const answers = await run(
      decodeCommand,
      ['--jsonl'],
      bad.flatMap((line) => [line, good]),
    );
    expect(answers).toHaveLength(2 * bad.length);
    for (const [index, answer] of answers.entries()) {
      if (index % 2 === 0) expect(answer).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
      else expect(answer).toMatchObject({ readings: [{ path: '/3/0/9', value: 100 }] });
    }
  });

  it('resolves relative times with the given now', async () => {
    const line = { contentFormat: 110, text: '[{"n":"/3/0/9","v":1,"t":-30}]', now: 1_700_000_100 };
    expect(await run(decodeCommand, ['--jsonl'], [JSON.stringify(line)])).toMatchObject([
      { readings: [{ time: 1_700_000_070 }] },
    ]);
  });

  it('reads object definitions from an OMA XML file', async () => {
    const model = join(folder, 'pump.xml');
    writeFileSync(
      model,
      `<LWM2M><Object><Name>Pump</Name><ObjectID>26241</ObjectID><MultipleInstances>Single</MultipleInstances>
       <Mandatory>Optional</Mandatory><Resources><Item ID="0"><Name>Speed</Name><Operations>RW</Operations>
       <MultipleInstances>Single</MultipleInstances><Mandatory>Mandatory</Mandatory><Type>Float</Type></Item></Resources></Object></LWM2M>`,
    );
    const args = ['-f', '11542', '-p', '/26241/0', '--model', model, 'c4003fc00000'];
    expect(await run(decodeCommand, args)).toEqual([
      { readings: [{ path: '/26241/0/0', type: 'Float', value: 1.5, time: null }] },
    ]);
  });
});

describe('treeline encode', () => {
  it('encodes values with the types of their definitions', async () => {
    expect(await run(encodeCommand, ['-f', '11542', '-p', '/3/0', '[{"path":"/3/0/9","value":100}]'])).toEqual([
      { contentFormat: 11542, path: '/3/0', hex: 'c10964' },
    ]);
    expect(await run(encodeCommand, ['-f', '110', '[{"path":"/3/0/9","value":100}]'])).toEqual([
      { contentFormat: 110, path: '/', hex: expect.any(String), text: '[{"n":"/3/0/9","v":100}]' },
    ]);
    expect(await run(encodeCommand, ['-f', '112', '--paths', '[{"path":"/3/0/0"}]'])).toEqual([
      { contentFormat: 112, path: '/', hex: '81a100662f332f302f30' },
    ]);
    expect(await run(encodeCommand, ['-f', '40', '[{"uri":"/3","attrs":{"ver":"1.1","hb":null}}]'])).toMatchObject([
      { text: '</3>;ver=1.1;hb' },
    ]);
  });

  it('encodes the output of decode for every valid test vector', async () => {
    const known = vectors.valid.filter(({ note }) => note?.includes('without a model') !== true);
    const decoded = await run(decodeCommand, ['--jsonl', '--types', types], known.map(lineOf));
    const questions = known.map(({ contentFormat, path, pathsOnly }, index) =>
      JSON.stringify({ contentFormat, path, pathsOnly, ...Object(decoded[index]) }),
    );
    const encoded = await run(encodeCommand, ['--jsonl', '--types', types], questions);
    const again = encoded.map((answer, index) =>
      JSON.stringify({
        ...Object(answer),
        resourceType: known[index]?.resourceType,
        pathsOnly: known[index]?.pathsOnly,
      }),
    );
    expect(await run(decodeCommand, ['--jsonl', '--types', types], again)).toEqual(decoded);
  });

  it.each([
    ['[{"path":"/31000/0/1","value":1}]', 'INVALID_ARGUMENT'],
    ['[{"value":1}]', 'INVALID_ARGUMENT'],
    ['[1]', 'INVALID_ARGUMENT'],
    ['[{"path":"/3/0/9","value":"x"}]', 'INVALID_VALUE'],
    ['[{"path":"/3/0/9","value":1,"time":"x"}]', 'INVALID_ARGUMENT'],
    ['[{"path":"/3/0/9","type":"Number","value":1}]', 'INVALID_ARGUMENT'],
    ['[{"path":"/3/0/9","type":"Integer","value":"9223372036854775808"}]', 'INVALID_VALUE'],
    ['[{"path":"/3/0/0","type":"Opaque","value":{"hex":"0"}}]', 'INVALID_ARGUMENT'],
  ])('refuses %s', async (readings, code) => {
    expect(await run(encodeCommand, ['-f', '110', readings])).toMatchObject([{ error: { code } }]);
  });
});

import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { settings } from '../src/config/index.ts';

const readme = readFileSync('README.md', 'utf8');

/** The settings table that the README must contain, built from the code. */
function settingsTable(): string {
  const rows = Object.values(settings).map(
    ({ variable, fallback, meaning }) => `| \`${variable}\` | ${fallback ? `\`${fallback}\`` : ''} | ${meaning} |`,
  );
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

describe('the README', () => {
  it('lists every setting with its default and meaning', () => {
    expect(readme).toContain(settingsTable());
  });

  it('shows only operations that are valid in the schema', () => {
    const schema = buildSchema(readFileSync('schema/schema.graphql', 'utf8'));
    const documents = [...readme.matchAll(/```graphql\n(.*?)```/gs)].map(([, text = '']) => text);
    expect(documents.length).toBeGreaterThan(4);
    for (const document of documents) expect(validate(schema, parse(document))).toEqual([]);
  });

  it('links only to existing files', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path);
    for (const path of links) expect(() => readFileSync(path)).not.toThrow(/ENOENT/);
  });
});

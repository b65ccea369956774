import { describe, expect, it } from 'vitest';
import { Lwm2mError, MAX_OBJECT_XML, parseObjectXml, registryModel } from '../../../src/lwm2m/index.ts';
import type { ObjectDefinition } from '../../../src/lwm2m/index.ts';

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&#x3E;');

/** Writes a definition in the form of the registry's files. */
function xmlOf(object: ObjectDefinition): string {
  const items = object.resources.map(
    (resource) => `      <Item ID="${resource.id}">
        <Name>${escaped(resource.name)}</Name>
        <Operations>${resource.operations}</Operations>
        <MultipleInstances>${resource.multiple ? 'Multiple' : 'Single'}</MultipleInstances>
        <Mandatory>${resource.mandatory ? 'Mandatory' : 'Optional'}</Mandatory>
        <Type>${resource.type ?? ''}</Type>
        <RangeEnumeration>${escaped(resource.range)}</RangeEnumeration>
        <Units>${escaped(resource.units)}</Units>
        <Description><![CDATA[What it <means> & more]]></Description>
      </Item>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<!-- A licence & its <terms> -->
<LWM2M xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="LWM2M.xsd">
  <Object ObjectType="MODefinition">
    <Name>${escaped(object.name)}</Name>
    <Description1>Says what it is.</Description1>
    <ObjectID>${object.id}</ObjectID>
    <ObjectURN>${object.urn}</ObjectURN>
    <LWM2MVersion>${object.lwm2mVersion}</LWM2MVersion>
    <ObjectVersion>${object.version}</ObjectVersion>
    <MultipleInstances>${object.multiple ? 'Multiple' : 'Single'}</MultipleInstances>
    <Mandatory>${object.mandatory ? 'Mandatory' : 'Optional'}</Mandatory>
    <Resources>
${items.join('\n')}
    </Resources>
    <Description2></Description2>
  </Object>
</LWM2M>
`;
}

/** A small valid file; the tests change single lines. */
const LINES = `<LWM2M>
  <Object ObjectType="MODefinition">
    <Name>Pump</Name>
    <ObjectID>26241</ObjectID>
    <MultipleInstances>Multiple</MultipleInstances>
    <Mandatory>Optional</Mandatory>
    <Resources>
      <Item ID="0">
        <Name>Speed</Name>
        <Operations>RW</Operations>
        <MultipleInstances>Single</MultipleInstances>
        <Mandatory>Mandatory</Mandatory>
        <Type>Unsigned Integer</Type>
      </Item>
      <Item ID="1">
        <Name>Stop</Name>
        <Operations>E</Operations>
        <MultipleInstances>Single</MultipleInstances>
        <Mandatory>Optional</Mandatory>
      </Item>
    </Resources>
  </Object>
</LWM2M>`;

function problemOf(xml: string): string {
  try {
    parseObjectXml(xml);
  } catch (error) {
    if (error instanceof Lwm2mError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('an OMA object definition', () => {
  it('parses to the definition in the registry, for every object of the registry', () => {
    for (const definition of registryModel().definitions()) {
      const resources = definition.resources.map((each) => ({ ...each, description: 'What it <means> & more' }));
      const described = { ...definition, description: 'Says what it is.', resources };
      expect(parseObjectXml(xmlOf(definition))).toEqual([described]);
    }
  });

  it('may omit versions, URN, ranges, units and the type of executable resources', () => {
    const [pump] = parseObjectXml(LINES);
    expect(pump).toMatchObject({
      id: 26241,
      name: 'Pump',
      version: '1.0',
      lwm2mVersion: '1.0',
      urn: '',
      multiple: true,
    });
    expect(pump?.resources).toMatchObject([
      { id: 0, type: 'Unsigned Integer', mandatory: true, range: '', units: '' },
      { id: 1, operations: 'E', type: null },
    ]);
  });

  it('may have the line ends of Windows', () => {
    expect(parseObjectXml(LINES.replaceAll('\n', '\r\n'))).toEqual(parseObjectXml(LINES));
  });

  it('keeps the words of descriptions and ranges, with their line breaks', () => {
    const [pump] = parseObjectXml(
      LINES.replace('<ObjectID>', '<Description1>Moves water.</Description1><ObjectID>')
        .replace('</Object>', '<Description2>\nSee the manual.\n</Description2></Object>')
        .replace('<Type>', '<Description>In <![CDATA[turns\tper\nminute]]></Description><Type>')
        .replace('</Type>', '</Type><RangeEnumeration>\n0: off\n\t\t1: on\n</RangeEnumeration>'),
    );
    expect(pump?.description).toBe('Moves water.\n\nSee the manual.');
    expect(pump?.resources[0]).toMatchObject({ description: 'In turns\tper\nminute', range: '0: off\n\t\t1: on' });
    expect(pump?.resources[1]).not.toHaveProperty('description');
  });

  it('may have an empty type at any resource', () => {
    const [pump] = parseObjectXml(LINES.replace('<Type>Unsigned Integer</Type>', '<Type/>'));
    expect(pump?.resources[0]).toMatchObject({ operations: 'RW', type: null });
  });

  it('may have a prefix for its namespace', () => {
    const prefixed = LINES.replaceAll(/<(\/?)(\w)/g, '<$1oma:$2').replace('<oma:LWM2M', '<oma:LWM2M xmlns:oma="urn:x"');
    expect(prefixed).toContain('<oma:Item ID="0">');
    expect(parseObjectXml(prefixed)).toEqual(parseObjectXml(LINES));
  });

  it.each(['urn:oma:lwm2m:x:26241', 'urn:oma:lwm2m:x:26241:1.0', 'urn:example:pump:7', 'Pump'])(
    'may have the ObjectURN %s',
    (urn) => {
      const xml = LINES.replace('<ObjectID>', `<ObjectURN>${urn}</ObjectURN><ObjectID>`);
      expect(parseObjectXml(xml)).toMatchObject([{ id: 26241, urn }]);
    },
  );

  it('has names of one line', () => {
    expect(parseObjectXml(LINES.replace('>Pump<', '>Water\n\t\tpump<'))).toMatchObject([{ name: 'Water pump' }]);
  });

  it.each([
    [
      '<ObjectID>26241',
      '<ObjectURN>urn:oma:lwm2m:x:26242:1.0</ObjectURN><ObjectID>26241',
      'line 4: <ObjectURN> "urn:oma:lwm2m:x:26242:1.0" names object 26242, but <ObjectID> is 26241',
    ],
    ['>Pump<', '>Pu&#27;mp<', 'line 3: <Name> must not contain the character U+001B'],
    ['>Pump<', '>Pump\u0085<', 'line 3: <Name> must not contain the character U+0085'],
    ['>Speed<', '>Speed\0<', 'line 9: <Name> must not contain the character U+0000'],
    ['<Type>', '<Units>m\u0007</Units><Type>', 'line 13: <Units> must not contain the character U+0007'],
    [
      '<Type>',
      '<Description>\ud800</Description><Type>',
      'line 13: <Description> must not contain the character U+D800',
    ],
    [
      '<Type>',
      '<RangeEnumeration>1\v2</RangeEnumeration><Type>',
      'line 13: <RangeEnumeration> must not contain the character U+000B',
    ],
    ['<Type>', `<Description>${'x'.repeat(16_385)}</Description><Type>`, 'line 13: <Description> has more than 16384'],
    ['<Type>Unsigned Integer</Type>', '<Type>Number</Type>', 'line 13: <Type> "Number" is not String'],
    ['<Type>Unsigned Integer</Type>', '', 'line 8: <Item> has no <Type>'],
    [
      '<Operations>RW</Operations>',
      '<Operations>RE</Operations>',
      'line 10: <Operations> "RE" is not R, W, RW, E or empty',
    ],
    ['ID="1"', 'ID="0"', 'line 15: <Item> is the second with ID="0"'],
    ['ID="1"', 'ID="65535"', 'line 15: <Item> "65535" is not an id from 0 to 65534'],
    ['ID="1"', '', 'line 15: <Item> "" is not an id'],
    ['<ObjectID>26241</ObjectID>', '<ObjectID>pump</ObjectID>', 'line 4: <ObjectID> "pump" is not an id'],
    [
      '<ObjectID>26241</ObjectID>',
      '<ObjectID>1</ObjectID><ObjectID>2</ObjectID>',
      'line 4: <ObjectID> is the second in one <Object>',
    ],
    ['<Name>Pump</Name>', '<Name> </Name>', 'line 3: <Name> is empty'],
    ['<Name>Pump</Name>', `<Name>${'x'.repeat(1001)}</Name>`, 'line 3: <Name> has more than 1000 characters'],
    [
      '<Name>Pump</Name>',
      '<Name>Pump</Name><ObjectVersion>1</ObjectVersion>',
      'line 3: <ObjectVersion> "1" is not a version such as 1.0',
    ],
    [
      '<Mandatory>Optional</Mandatory>',
      '<Mandatory>Maybe</Mandatory>',
      'line 6: <Mandatory> "Maybe" is not Mandatory or Optional',
    ],
    ['</Item>', '', 'line 21: '],
    ['<LWM2M>', '<!DOCTYPE x [<!ENTITY a "b">]>\n<LWM2M>', 'line 1: a document type is not allowed'],
    ['<LWM2M>', '<Objects>', 'line 23: '],
  ])('is refused when %s becomes %s: %s', (from, to, problem) => {
    expect(problemOf(LINES.replace(from, to))).toContain(`INVALID_ARGUMENT ${problem}`);
  });

  it.each(['', 'not XML', '<a/>', '<LWM2M/>', '<LWM2M><Object/></LWM2M>', '<LWM2M>&a;</LWM2M>', '<__proto__/>', '<a'])(
    'is not %j',
    (xml) => {
      expect(problemOf(xml)).toMatch(/^INVALID_ARGUMENT line 1: /);
    },
  );

  it('never expands an entity', () => {
    const [pump] = parseObjectXml(LINES.replace('Pump', '&amp;lt; &#65;&unknown;'));
    expect(pump?.name).toBe('&lt; A&unknown;');
  });

  it('has a maximum length and depth', () => {
    expect(problemOf(' '.repeat(MAX_OBJECT_XML + 1))).toMatch(/^LIMIT/);
    expect(problemOf(`${'<a>'.repeat(1000)}${'</a>'.repeat(1000)}`)).toMatch(/^INVALID_ARGUMENT/);
    expect(problemOf('<a>'.repeat(1000)).length).toBeLessThan(400);
  });
});

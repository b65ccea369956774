import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectXml } from '../../lwm2m/object-xml.ts';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

const UPLOAD = `mutation ($xml: String!) { result: uploadObjectDefinition(input: { xml: $xml }) {
  __typename
  ... on UploadObjectDefinitionPayload { objectDefinitions { objectId version name source resources { name type } } }
  ... on UserError { message }
  ... on ValidationError { field }
} }`;
const DELETE = `mutation ($version: String!) { result: deleteObjectDefinition(input: { objectId: 3303, version: $version }) {
  __typename
  ... on DeleteObjectDefinitionPayload { objectDefinition { name source } }
  ... on ValidationError { field }
} }`;
const TEMPERATURES =
  '{ objectDefinitions(search: "3303", first: 5) { edges { node { name } } nodes { version name source } } }';

describe('an object definition', () => {
  it('is uploaded, listed with source TENANT, and applies to a registered device', async () => {
    await world.device('urn:defined');
    const { result } = await world.data<{ result: unknown }>(UPLOAD, {
      xml: objectXml([3303], { name: 'Ours', version: '1.1' }),
    });
    expect(result).toEqual({
      __typename: 'UploadObjectDefinitionPayload',
      objectDefinitions: [
        {
          objectId: 3303,
          version: '1.1',
          name: 'Ours',
          source: 'TENANT',
          resources: [{ name: 'Speed', type: 'UNSIGNED_INTEGER' }],
        },
      ],
    });
    expect(await world.data(TEMPERATURES)).toEqual({
      objectDefinitions: {
        edges: [{ node: { name: 'Temperature' } }, { node: { name: 'Ours' } }],
        nodes: [
          { version: '1.0', name: 'Temperature', source: 'REGISTRY' },
          { version: '1.1', name: 'Ours', source: 'TENANT' },
        ],
      },
    });
    const seen = '{ device(endpoint: "urn:defined") { objects(objectIds: [3303]) { definition { name } } } }';
    expect(await world.data(seen)).toEqual({ device: { objects: [{ definition: { name: 'Ours' } }] } });
  });

  it('is deleted, and the registry’s definition applies again', async () => {
    const { result } = await world.data<{ result: unknown }>(DELETE, { version: '1.1' });
    expect(result).toMatchObject({ objectDefinition: { name: 'Ours', source: 'TENANT' } });
    expect(await world.data('{ objectDefinition(objectId: 3303, version: "1.1") { name source } }')).toEqual({
      objectDefinition: { name: 'Temperature', source: 'REGISTRY' },
    });
    expect(await world.data(DELETE, { version: '1.1' })).toEqual({ result: { __typename: 'NotFoundError' } });
    expect(await world.data(DELETE, { version: 'newest' })).toMatchObject({ result: { field: ['version'] } });
  });

  it('is refused with line and element if it is invalid', async () => {
    const xml = objectXml([26241], { type: 'Number' });
    const { result } = await world.data<{ result: unknown }>(UPLOAD, { xml });
    expect(result).toEqual({
      __typename: 'ValidationError',
      field: ['xml'],
      message: expect.stringMatching(/^xml: line 14: <Type> "Number" is not String, /),
    });
  });

  it('has the descriptions, ranges and labels of its file', async () => {
    const xml = objectXml([26243])
      .replace('<ObjectID>', '<Description1>Moves water.</Description1><ObjectID>')
      .replace(
        '</Type>',
        '</Type><RangeEnumeration>0: off\n1: slow\n2..9: fast</RangeEnumeration><Description>In\nsteps</Description>',
      );
    await world.data(UPLOAD, { xml });
    const resources = 'resources { description range labels { value lastValue label } }';
    expect(await world.data(`{ objectDefinition(objectId: 26243) { description ${resources} } }`)).toEqual({
      objectDefinition: {
        description: 'Moves water.',
        resources: [
          {
            description: 'In\nsteps',
            range: '0: off\n1: slow\n2..9: fast',
            labels: [
              { value: 0, lastValue: 0, label: 'off' },
              { value: 1, lastValue: 1, label: 'slow' },
              { value: 2, lastValue: 9, label: 'fast' },
            ],
          },
        ],
      },
    });
  });

  it('of the registry has labels and no descriptions, and the list has the date of the registry', async () => {
    const query = `{ objectDefinitions(search: "3387") { registryDate nodes {
      description source resources { resourceId description range labels { value label } } } } }`;
    const { objectDefinitions } = await world.data<{
      objectDefinitions: { nodes: { resources: { resourceId: number }[] }[] };
    }>(query);
    expect(objectDefinitions).toMatchObject({
      registryDate: '2024-02-22',
      nodes: [{ description: '', source: 'REGISTRY' }],
    });
    expect(objectDefinitions.nodes[0]?.resources.find(({ resourceId }) => resourceId === 801)).toEqual({
      resourceId: 801,
      description: '',
      range: '1: normal\n2: remote\n3: local',
      labels: [
        { value: 1, label: 'normal' },
        { value: 2, label: 'remote' },
        { value: 3, label: 'local' },
      ],
    });
  });

  it('is refused with a control character in a name', async () => {
    const xml = objectXml([26241], { name: 'Pu\u0007mp' });
    const { result } = await world.data<{ result: unknown }>(UPLOAD, { xml });
    expect(result).toEqual({
      __typename: 'ValidationError',
      field: ['xml'],
      message: 'xml: line 3: <Name> must not contain the character U+0007',
    });
  });

  it('of the maximum size is accepted by the API', async () => {
    const { result } = await world.data<{ result: unknown }>(UPLOAD, {
      xml: objectXml([26242]) + ' '.repeat(500_000),
    });
    expect(result).toMatchObject({ __typename: 'UploadObjectDefinitionPayload' });
  });

  it('can’t be uploaded by an operator', async () => {
    const { result } = await world.data<{ result: unknown }>(
      UPLOAD,
      { xml: objectXml([26241]) },
      world.tokens.operator,
    );
    expect(result).toMatchObject({ __typename: 'ForbiddenError' });
  });
});

describe('a registration profile', () => {
  it('is set, listed and deleted', async () => {
    const fields = 'registrationProfile { profileId links }';
    const profile = { profileId: '6:1234abcd', links: '</1/0>,</3/0>' };
    const set = `mutation ($profileId: String!, $links: String!) {
      result: setRegistrationProfile(input: { profileId: $profileId, links: $links }) {
        ... on SetRegistrationProfilePayload { ${fields} } ... on ValidationError { field } } }`;
    const forget = `mutation { result: deleteRegistrationProfile(input: { profileId: "6:1234abcd" }) {
      __typename ... on DeleteRegistrationProfilePayload { ${fields} } } }`;
    expect(await world.data(set, profile)).toEqual({ result: { registrationProfile: profile } });
    expect(await world.data(set, { ...profile, links: '/3/0' })).toEqual({ result: { field: ['links'] } });
    expect(await world.data('{ registrationProfiles { nodes { profileId links } } }')).toEqual({
      registrationProfiles: { nodes: [profile] },
    });
    expect(await world.data(forget)).toMatchObject({ result: { registrationProfile: profile } });
    expect(await world.data(forget)).toEqual({ result: { __typename: 'NotFoundError' } });
  });
});

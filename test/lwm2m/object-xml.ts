/** Writes an OMA object definition file with an object per id; each has only the resource 0. */
export function objectXml(
  ids: readonly number[],
  { name = 'Pump', version = '1.0', type = 'Unsigned Integer' } = {},
): string {
  const objects = ids.map(
    (id) => `<Object ObjectType="MODefinition">
    <Name>${name}</Name>
    <ObjectID>${id}</ObjectID>
    <ObjectVersion>${version}</ObjectVersion>
    <MultipleInstances>Multiple</MultipleInstances>
    <Mandatory>Optional</Mandatory>
    <Resources>
      <Item ID="0">
        <Name>Speed</Name>
        <Operations>RW</Operations>
        <MultipleInstances>Single</MultipleInstances>
        <Mandatory>Mandatory</Mandatory>
        <Type>${type}</Type>
      </Item>
    </Resources>
  </Object>`,
  );
  return `<LWM2M>\n  ${objects.join('\n  ')}\n</LWM2M>`;
}

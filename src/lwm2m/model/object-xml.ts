import { Lwm2mError } from '../error.ts';
import { RESOURCE_TYPES } from '../value.ts';
import type { ResourceType } from '../value.ts';
import type { ObjectDefinition, ResourceDefinition } from './definition.ts';
import { invalid, parseXml } from './xml.ts';
import type { XmlElement } from './xml.ts';

/** The maximum of characters: several times the largest file of the OMA registry (67 resources with descriptions). */
export const MAX_OBJECT_XML = 512 * 1024;
/** The maximum of characters of a name, a URN or units. */
const MAX_TEXT = 1000;
/** The maximum of characters of a description or a range: several times the longest of the OMA registry. */
const MAX_PROSE = 16 * 1024;
/** The characters that XML 1.0 excludes (§2.2) and other control characters; not a tab and not a line feed. */
const FORBIDDEN = /(?![\t\n])[\p{Control}\p{Surrogate}\uFFFE\uFFFF]/u;
/** The URN of an object: `urn:oma:lwm2m:ext:3303:1.1` (Core 1.2 Appendix D.1). */
const OBJECT_URN = /^urn:oma:lwm2m:[a-z]+:(\d+)(?::|$)/i;
const VERSION = /^\d{1,5}\.\d{1,5}$/;
const ID = /^\d{1,5}$/;
const LARGEST_ID = 65534;
const OPERATIONS: readonly ResourceDefinition['operations'][] = ['', 'R', 'W', 'RW', 'E'];

/**
 * Parses an OMA object definition file (LWM2M.xsd: `<LWM2M><Object>…`). Throws INVALID_ARGUMENT with the line and the
 * element, and LIMIT for a file over 512 Ki characters.
 */
export function parseObjectXml(xml: string): readonly ObjectDefinition[] {
  if (xml.length > MAX_OBJECT_XML) {
    throw new Lwm2mError(
      'LIMIT',
      `the object definition has ${xml.length} characters; the maximum is ${MAX_OBJECT_XML}`,
    );
  }
  const root = parseXml(xml);
  if (root.name !== 'LWM2M') throw wrong(root, 'is not the root element <LWM2M> of an object definition');
  const definitions = childrenNamed(root, 'Object').map(objectOf);
  if (definitions.length === 0) throw wrong(root, 'has no <Object>');
  return definitions;
}

function objectOf(object: XmlElement): ObjectDefinition {
  const items = childrenNamed(child(object, 'Resources'), 'Item');
  const resources = items.map(resourceOf);
  const id = idOf(child(object, 'ObjectID'), child(object, 'ObjectID').text);
  const ids = new Set<number>();
  for (const [index, { id }] of resources.entries()) {
    if (ids.has(id)) throw wrong(items[index] ?? object, `is the second with ID="${id}"`);
    ids.add(id);
  }
  return {
    id,
    version: versionOf(object, 'ObjectVersion'),
    name: required(child(object, 'Name')),
    ...described(object, ['Description1', 'Description2']),
    urn: urnOf(object, id),
    lwm2mVersion: versionOf(object, 'LWM2MVersion'),
    multiple: choice(child(object, 'MultipleInstances'), 'Multiple', 'Single'),
    mandatory: choice(child(object, 'Mandatory'), 'Mandatory', 'Optional'),
    resources: resources.sort((left, right) => left.id - right.id),
  };
}

function resourceOf(item: XmlElement): ResourceDefinition {
  const operations = operationsOf(child(item, 'Operations'));
  return {
    id: idOf(item, item.attributes.get('ID') ?? ''),
    name: required(child(item, 'Name')),
    ...described(item, ['Description']),
    operations,
    multiple: choice(child(item, 'MultipleInstances'), 'Multiple', 'Single'),
    mandatory: choice(child(item, 'Mandatory'), 'Mandatory', 'Optional'),
    type: operations === 'E' ? null : typeOf(child(item, 'Type')),
    range: prose(item, 'RangeEnumeration'),
    units: optional(item, 'Units'),
  };
}

function childrenNamed(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter((element) => element.name === name);
}

/** Returns the only child element of this name. */
function child(parent: XmlElement, name: string): XmlElement {
  const [found, second] = childrenNamed(parent, name);
  if (found === undefined) throw wrong(parent, `has no <${name}>`);
  if (second !== undefined) throw wrong(second, `is the second in one <${parent.name}>`);
  return found;
}

function required(element: XmlElement): string {
  if (element.text === '') throw wrong(element, 'is empty');
  return line(element);
}

function optional(parent: XmlElement, name: string): string {
  const [found] = childrenNamed(parent, name);
  return found === undefined ? '' : line(found);
}

/** The text of an element that has one line: line breaks and indentation inside it become one blank. */
function line(element: XmlElement): string {
  return bounded(element, MAX_TEXT).replace(/\s+/g, ' ');
}

/** The text of an element as the file words it, with its line breaks. */
function prose(parent: XmlElement, name: string): string {
  const [found] = childrenNamed(parent, name);
  return found === undefined ? '' : bounded(found, MAX_PROSE);
}

function described(parent: XmlElement, names: readonly string[]): { readonly description?: string } {
  const texts = names.map((name) => prose(parent, name)).filter((text) => text !== '');
  return texts.length === 0 ? {} : { description: texts.join('\n\n') };
}

function bounded(element: XmlElement, most: number): string {
  const { text } = element;
  if (text.length > most) throw wrong(element, `has more than ${most} characters`);
  const [character] = FORBIDDEN.exec(text) ?? [];
  if (character === undefined) return text;
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  throw wrong(element, `must not contain the character U+${code}`);
}

/** The URN, which may be missing. An OMA URN must name the object's id; other forms are accepted. */
function urnOf(object: XmlElement, id: number): string {
  const urn = optional(object, 'ObjectURN');
  const named = OBJECT_URN.exec(urn)?.[1];
  const [element] = childrenNamed(object, 'ObjectURN');
  if (element !== undefined && named !== undefined && Number(named) !== id)
    throw wrong(element, `${quoted(urn)} names object ${named}, but <ObjectID> is ${id}`);
  return urn;
}

/** Files older than LwM2M 1.1 have no version element, which means 1.0 (LWM2M.xsd). */
function versionOf(object: XmlElement, name: string): string {
  const [element] = childrenNamed(object, name);
  if (element === undefined || element.text === '') return '1.0';
  if (!VERSION.test(element.text)) throw wrong(element, `${quoted(element.text)} is not a version such as 1.0`);
  return element.text;
}

function idOf(element: XmlElement, text: string): number {
  const id = ID.test(text) ? Number(text) : -1;
  if (id < 0 || id > LARGEST_ID) throw wrong(element, `${quoted(text)} is not an id from 0 to ${LARGEST_ID}`);
  return id;
}

function choice(element: XmlElement, yes: string, no: string): boolean {
  if (element.text !== yes && element.text !== no)
    throw wrong(element, `${quoted(element.text)} is not ${yes} or ${no}`);
  return element.text === yes;
}

function operationsOf(element: XmlElement): ResourceDefinition['operations'] {
  const operations = OPERATIONS.find((known) => known === element.text);
  if (operations === undefined) throw wrong(element, `${quoted(element.text)} is not R, W, RW, E or empty`);
  return operations;
}

/** An empty type is valid for every resource (LWM2M.xsd). */
function typeOf(element: XmlElement): ResourceType | null {
  if (element.text === '') return null;
  const type = RESOURCE_TYPES.find((known) => known === element.text);
  if (type === undefined) throw wrong(element, `${quoted(element.text)} is not ${RESOURCE_TYPES.join(', ')}`);
  return type;
}

function wrong(element: XmlElement, what: string): Lwm2mError {
  return invalid(element.line, `<${element.name}> ${what}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

import type { Argument, Schema } from '../api/spec';
import type { Measure } from './measure';

export type Shape =
  | Measure
  | 'text'
  | 'long'
  | 'secret'
  | 'number'
  | 'flag'
  | 'choice'
  | 'list'
  | 'json'
  | 'time'
  | 'upload'
  | 'group';

/** One thing that a form asks for. */
export interface Field {
  name: string;
  /** The name to show, where the server gives one. */
  title: string;
  help: string;
  required: boolean;
  shape: Shape;
  choices: string[];
  default: unknown;
  min?: number;
  max?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  /** What a list holds, or the fields of a group. */
  item?: Field;
  fields?: Field[];
  /** Of the table's kinds: `account`, `domain` and so on; decides on completion. */
  kind?: string;
  /** Asked for only while another field has this value. */
  only?: { field: string; value: string };
}

/** The fields of an operation's arguments. */
export function fieldsOfArguments(args: readonly Argument[]): Field[] {
  return args.map((argument) => {
    const field = fieldOf(argument.name, argument.schema, argument.required);
    field.help = argument.help || field.help;
    field.kind = argument.kind;
    if (argument.kind === 'time') field.shape = 'time';
    if (argument.kind === 'secret') field.shape = 'secret';
    if (argument.kind === 'upload') field.shape = 'upload';
    if (argument.kind === 'json') field.shape = 'json';
    field.only = onlyOf(argument.name, args);
    return field;
  });
}

/** Files are named only where a certificate is said to come from files. */
function onlyOf(name: string, args: readonly Argument[]): Field['only'] {
  const chosen = args.some((it) => it.name === 'source' && it.schema.enum?.includes('files'));
  return chosen && (name === 'certificate' || name === 'key')
    ? { field: 'source', value: 'files' }
    : undefined;
}

/** The fields of a JSON Schema of an object. */
export function fieldsOfSchema(schema: Schema): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, part]) =>
    fieldOf(name, part, required.has(name)),
  );
}

export function fieldOf(name: string, schema: Schema, required: boolean): Field {
  return {
    name,
    title: schema.title ?? '',
    help: schema.description ?? '',
    required,
    shape: shapeOf(schema),
    choices: (schema.enum ?? []).filter((value) => value !== null).map(String),
    default: schema.default,
    min: schema.minimum,
    max: schema.maximum,
    minLength: schema.minLength,
    maxLength: schema.maxLength,
    maxItems: schema.maxItems,
    pattern: schema.pattern,
    item: schema.items ? fieldOf('', schema.items, true) : undefined,
    fields: schema.properties ? fieldsOfSchema(schema) : undefined,
  };
}

function shapeOf(schema: Schema): Shape {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  if (schema.enum) return 'choice';
  if (schema.format === 'password' || schema.writeOnly) return 'secret';
  if (types.includes('boolean')) return 'flag';
  if (types.includes('integer') || types.includes('number')) return 'number';
  if (types.includes('array')) return simple(schema.items) ? 'list' : 'json';
  if (schema.properties) return 'group';
  if (types.includes('object')) return 'json';
  if (types.includes('string')) return (schema.maxLength ?? 0) > 4096 ? 'long' : 'text';
  return 'json';
}

function simple(items: Schema | undefined): boolean {
  return items?.type === 'string' || items?.type === 'integer' || items?.type === 'number';
}

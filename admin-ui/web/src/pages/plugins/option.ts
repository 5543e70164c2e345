import type { PluginOption } from '../../api/shapes';
import { fieldOf, type Field } from '../../form/field';
import type { Values } from '../../form/value';

/** An option of a plugin's manifest as a field of a form. */
export function fieldOfOption(option: PluginOption): Field {
  const field = fieldOf(option.name, {}, false);
  field.title = option.name.replaceAll(/[_-]/g, ' ');
  field.help = option.help;
  field.default = option.default;
  field.choices = option.values ?? [];
  field.min = option.min ?? undefined;
  field.max = option.max ?? undefined;
  field.shape = shapeOf(option);
  return field;
}

/** What has to be told to the server: only what is another than before; null takes a value back. */
export function changed(before: Values, after: Values): Values {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const other = names.filter(
    (name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null),
  );
  return Object.fromEntries(other.map((name) => [name, after[name] ?? null]));
}

function shapeOf(option: PluginOption): Field['shape'] {
  if (option.values?.length) return 'choice';
  const sample = option.value ?? option.default;
  if (typeof sample === 'boolean' || /bool|flag/.test(option.kind)) return 'flag';
  if (typeof sample === 'number' || /number|integer/.test(option.kind)) return 'number';
  if (Array.isArray(sample) || option.kind === 'list') return 'list';
  if (sample !== null && typeof sample === 'object') return 'json';
  return /secret/.test(option.kind) ? 'secret' : 'text';
}

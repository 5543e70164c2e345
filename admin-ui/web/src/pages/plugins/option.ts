import type { PluginOption } from '../../api/shapes';
import { fieldOf, type Field } from '../../form/field';
import { given, shown, type Values } from '../../form/value';

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
  // A flag that is not set is told as it is: taken back it might be set elsewhere.
  const none = (name: string): unknown => (typeof before[name] === 'boolean' ? false : null);
  const told = names.map((name) => [name, after[name] ?? none(name)] as const);
  const other = ([name, value]: (typeof told)[number]): boolean =>
    JSON.stringify(value) !== JSON.stringify(before[name] ?? null);
  return Object.fromEntries(told.filter(other));
}

/** What a form that nobody has touched gives for options. */
export function untouched(options: readonly PluginOption[]): Values {
  const of = (option: PluginOption): unknown => {
    if (typeof option.value === 'boolean') return option.value;
    const field = fieldOfOption(option);
    return given(field, shown(field, option.value ?? option.default));
  };
  return Object.fromEntries(options.map((option) => [option.name, of(option)]));
}

/** What brings an option back to what it is: its value, or null where that was not set here. */
export function back(option: PluginOption, domain: string): unknown {
  const here = option.origin === (domain ? 'console-domain' : 'console');
  return here ? (untouched([option])[option.name] ?? null) : null;
}

function shapeOf(option: PluginOption): Field['shape'] {
  if (option.values?.length) return 'choice';
  if (option.kind === 'duration' || option.kind === 'size') return option.kind;
  const sample = option.value ?? option.default;
  if (typeof sample === 'boolean' || /bool|flag/.test(option.kind)) return 'flag';
  if (typeof sample === 'number' || /number|integer/.test(option.kind)) return 'number';
  if (Array.isArray(sample) || option.kind === 'list') return 'list';
  if (sample !== null && typeof sample === 'object') return 'json';
  return /secret/.test(option.kind) ? 'secret' : 'text';
}

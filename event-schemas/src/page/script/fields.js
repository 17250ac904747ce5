// Draws the fields of a schema as a nested list that folds.

// With more fields than this, those inside of others are folded at first.
const MOST_OPEN = 16;
// With more variants than this, they are folded at first.
const MOST_VARIANTS = 4;

function fieldList(root, sought) {
  const inside = insideOf(root, root);
  const drawing = { root, sought, open: outline(root).size <= MOST_OPEN };
  const list = insides(inside, drawing, '', inside.name ? [inside.name] : []);
  const box = h('div', { class: 'fields' }, list.length ? list : h('p', { class: 'field doc' }, `No fields: ${typeName(root, root)}`));
  if (!box.querySelector('details')) return box;
  const fold = (text, open) => h('button', { type: 'button', onclick: () => {
    box.querySelectorAll('details').forEach((it) => { it.open = open; });
    say(open ? 'All fields are shown' : 'Inner fields are hidden');
  } }, text);
  return h('div', {}, h('div', { class: 'fold-all' }, fold('Expand all', true), fold('Collapse all', false)), box);
}

function insides({ fields, variants }, drawing, path, names) {
  const { root } = drawing;
  const parts = [];
  if (fields.length) parts.push(h('ul', {}, fields.map((field) => fieldItem(field, drawing, path, names))));
  const values = variants.filter((variant) => !hasParts(variant, root));
  if (values.length < variants.length) {
    parts.push(...variants.map((variant, index) => variantBox(variant, index, variants.length, drawing, path, names)));
  } else if (values.some((variant) => 'const' in variant || variant.enum)) {
    parts.push(valueList(values, root));
  }
  return parts;
}

// A variant with its fields, and with the variants in it.
function variantBox(variant, index, count, drawing, path, names) {
  const { root } = drawing;
  const own = insideOf(variant, root);
  const again = own.name !== undefined && names.includes(own.name);
  const inner = again ? [] : insides(own, drawing, path, own.name ? [...names, own.name] : names);
  const title = [
    index === 0 ? 'Either ' : 'or ', h('code', {}, variantName(variant, root)),
    variant.description ? ` – ${firstSentence(variant.description)}` : '',
    again ? [', again a ', h('code', {}, own.name), ', as above'] : null,
  ];
  if (!inner.length) return h('div', { class: 'variant' }, title);
  return h('details', { class: 'variant', open: drawing.open && count <= MOST_VARIANTS }, h('summary', {}, title), inner);
}

// A variant by what tells it from the others.
function variantName(variant, root) {
  if ('const' in variant) return JSON.stringify(variant.const);
  if (variant.enum) return variant.enum.map((value) => JSON.stringify(value)).join(' or ');
  const tag = Object.entries(variant.properties ?? {}).find(([, schema]) => 'const' in resolve(schema, root));
  if (tag) return `${tag[0]}: ${JSON.stringify(resolve(tag[1], root).const)}`;
  const names = Object.keys(variant.properties ?? {});
  if (names.length && names.every((name) => variant.properties[name] === false)) return 'none of them';
  if (names.length === 1) return names[0];
  return variant.title ?? variant.$name ?? typeName(variant, root);
}

function valueList(variants, root) {
  return h('div', { class: 'values' }, variants.flatMap((variant) => {
    const values = 'const' in variant ? [variant.const] : variant.enum;
    if (!values) return [h('code', {}, typeName(variant, root))];
    return values.map((value) => h('code', { title: variant.description }, JSON.stringify(value)));
  }));
}

function fieldItem(field, drawing, path, names) {
  const { root, sought } = drawing;
  const at = path ? `${path}.${field.name}` : field.name;
  const { schema } = withoutNull(resolve(field.schema, root), root);
  const inside = insideOf(field.schema, root);
  const again = inside.name !== undefined && names.includes(inside.name);
  const list = schema.type === 'array' && schema.items ? '[]' : '';
  const type = typeName(field.schema, root);
  const told = rules(schema);
  const personal = resolve(field.schema, root)['x-pii'] ?? schema['x-pii'];
  const values = schema.enum && schema.enum.length > 1
    ? h('div', { class: 'values' }, schema.enum.map((value) => h('code', {}, JSON.stringify(value)))) : null;
  const item = h('li', { class: `field${sought === at ? ' sought' : ''}`, 'data-path': at },
    h('div', { class: 'line' },
      h('span', { class: 'name' }, field.name),
      h('span', { class: 'type' }, type),
      h('span', { class: field.required ? 'required' : 'optional' }, field.required ? 'required' : 'optional'),
      personal ? h('span', { class: 'badge is-warn' }, 'personal data') : null),
    schema.description ? h('div', { class: 'doc' }, markdown(schema.description)) : null,
    told.length ? h('p', { class: 'rules' }, told.map(([text, value], index) => [index ? ', ' : '', text, text ? ' ' : '', h('code', {}, value)])) : null,
    values,
    again ? h('p', { class: 'rules' }, 'again a ', h('code', {}, inside.name), ', as above') : null);
  if (!again) {
    const own = insides(inside, drawing, at + list, inside.name ? [...names, inside.name] : names);
    if (own.length && !inside.fields.length && !inside.variants.some((it) => hasParts(it, root))) {
      // Values are no parts, and short.
      item.append(...own);
    } else if (own.length) {
      item.append(h('details', { class: 'inner', open: drawing.open }, h('summary', {}, insideText(inside)), own));
    }
  }
  return item;
}

// What is folded, in a few words.
function insideText({ fields, variants }) {
  const told = [
    fields.length ? plural(fields.length, 'field') : null, variants.length > 1 ? plural(variants.length, 'variant') : null,
  ].filter(Boolean);
  return told.length ? told.join(' and ') : 'what is in it';
}

function firstSentence(text) {
  return text.split('\n')[0];
}

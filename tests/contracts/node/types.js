'use strict';
// Makes TypeScript of schemas, and lets the compiler look at documents written as literals, and at
// the code in `uses.ts`, which uses the types.
//
// Takes a folder with `schemas/*.json` and `documents.json`. Answers one line: how many documents
// there were, and those whose verdict is another than expected.

const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const { compile } = require('json-schema-to-typescript');

async function main(folder) {
  const documents = JSON.parse(fs.readFileSync(path.join(folder, 'documents.json'), 'utf8'));
  const names = await makeTypes(folder);
  const lines = documents.map(
    (it, index) => `const document${index}: ${names.get(it.schema)} = ${JSON.stringify(it.envelope)}; void document${index};`);
  const imports = [...names.values()].map((name) => `import type { ${name} } from './${name}';`);
  fs.writeFileSync(path.join(folder, 'documents.ts'), [...imports, ...lines, ''].join('\n'));
  fs.copyFileSync(path.join(__dirname, 'uses.ts'), path.join(folder, 'uses.ts'));

  const { broken, elsewhere } = check(folder);
  if (elsewhere.length) throw new Error(elsewhere.join('\n'));
  const surprises = documents.flatMap((it, index) => {
    const why = broken.get(imports.length + index + 1);
    const taken = why === undefined;
    return taken === it.typescript ? [] : [{ schema: it.schema, name: it.name, taken, why: why ?? '' }];
  });
  console.log(JSON.stringify({ documents: documents.length, surprises }));
}

// A file for each schema, with the name of the type of its root.
async function makeTypes(folder) {
  const names = new Map();
  const schemas = path.join(folder, 'schemas');
  for (const file of fs.readdirSync(schemas).sort()) {
    const schema = JSON.parse(fs.readFileSync(path.join(schemas, file), 'utf8'));
    const types = await compile(schema, 'Envelope', { additionalProperties: true, bannerComment: '' });
    const name = schema.title.replace(/[^a-zA-Z0-9]+(.)/g, (_, next) => next.toUpperCase()).replace(/^./, (first) => first.toUpperCase());
    if (!types.includes(`export interface ${name} {`)) throw new Error(`no ${name} in:\n${types}`);
    fs.writeFileSync(path.join(folder, `${name}.ts`), types);
    names.set(path.basename(file, '.json'), name);
  }
  return names;
}

// The errors of the documents by line, and those anywhere else.
function check(folder) {
  const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const options = ['--strict', '--noEmit', '--pretty', 'false', '--target', 'es2022', '--module', 'es2022', '--moduleResolution', 'bundler', '--types', ''];
  const files = ['documents.ts', 'uses.ts'];
  const { stdout, stderr, error } = spawnSync(process.execPath, [compiler, ...options, ...files], { cwd: folder, encoding: 'utf8' });
  if (error) throw error;
  const broken = new Map();
  const elsewhere = stderr ? [stderr] : [];
  for (const line of stdout.split('\n').filter((it) => /\S/.test(it) && !/^\s/.test(it))) {
    const match = /^documents\.ts\((\d+),\d+\): error (TS\d+: .*)$/.exec(line);
    if (match) broken.set(Number(match[1]), match[2]);
    else elsewhere.push(line);
  }
  return { broken, elsewhere };
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
